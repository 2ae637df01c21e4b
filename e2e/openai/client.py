"""What the official client of Python makes of the edge: it does what it is asked on its standard input, as JSON."""

import json
import sys

import openai

asked = json.load(sys.stdin)
client = openai.OpenAI(base_url=asked["url"], api_key=asked["key"], max_retries=0)


def told():
    if asked["what"] == "models":
        return {"models": [model.id for model in client.models.list()], "one": client.models.retrieve(asked["model"]).owned_by}
    answer = client.chat.completions.create(**asked["request"])
    if not asked["request"].get("stream"):
        return answer.to_dict()
    chunks = []
    try:
        for chunk in answer:
            chunks.append(chunk.to_dict())
    except openai.APIError as error:
        return {"chunks": chunks, "error": error.body}
    return {"chunks": chunks}


try:
    print(json.dumps(told()))
except openai.APIStatusError as error:
    print(json.dumps({"kind": type(error).__name__, "status": error.status_code, "error": error.body, "request_id": error.request_id}))

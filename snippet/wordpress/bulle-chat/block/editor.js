// The block in the editor: a place, since the chat itself belongs to visitors. The server renders it.
(function ({ blockEditor, blocks, components, element }) {
  const edit = function () {
    const { title, description, icon } = blocks.getBlockType("bulle/chat");
    const place = element.createElement(components.Placeholder, { icon: icon.src, label: title, instructions: description });
    return element.createElement("div", blockEditor.useBlockProps(), place);
  };
  blocks.registerBlockType("bulle/chat", { edit, save: () => null });
})(window.wp);

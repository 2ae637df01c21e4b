use super::*;
use crate::quality::knowledge::{Example, finished, reply};

#[test]
fn calibrate() {
    let twin = Example::new("digital-twin");
    for q in [
        "Depuis quand Maëlle utilise-t-elle Kubernetes ?",
        "Combien de nœuds comptent les clusters Kubernetes de Cartovent ?",
        "Quelle était la cause de la panne du 11 mai 2021 ?",
        "De combien la facture cloud de Cartovent a-t-elle baissé ?",
        "Comment a-t-elle réagi à la faille Heartbleed ?",
        "Quel salaire demande-t-elle ?",
        "Combien de jours de télétravail par semaine souhaite-t-elle ?",
        "À partir de quand peut-elle commencer ?",
        "Pourquoi veut-elle quitter Cartovent ?",
        "Quels sont ses points faibles ?",
        "Où a-t-elle obtenu son diplôme d'ingénieur ?",
        "Sous quelle licence Estran est-il publié ?",
        "Combien de ports bretons l'afficheur Marée basse couvre-t-il ?",
        "De quel instrument de musique joue-t-elle ?",
        "When did she start working at Cartovent?",
        "Where did she give a talk about CoreDNS?",
        "How much did she cut the cloud bill of Cartovent?",
        "Which languages does she speak?",
        "What salary does she expect?",
        "Who did she work for in Brest?",
        "--",
        "Quel est son numéro de téléphone ?",
        "Quel âge a Maëlle Kervadec ?",
        "Quel est son salaire actuel chez Cartovent ?",
        "A-t-elle travaillé avec Microsoft Azure ?",
        "Quel est le chiffre d'affaires de Sillage Santé ?",
        "Comment s'appelle sa responsable chez Cartovent ?",
        "A-t-elle des enfants ?",
        "What is her street address in Rennes?",
        "Which football team does she support?",
        "What is the capital of Australia?",
    ] {
        let (r, p) = twin.extract(q);
        let a = finished(q, &r, &p, Finish::Stop);
        let refusal = reply("Je ne sais pas : les documents ne le précisent pas.", &p);
        let cited = reply("Elle a dit cela un jour [1].", &p);
        let uncited = reply("Elle a dit cela un jour à Rennes.", &p);
        println!(
            "{q:70} extract {:?} cited {:?} uncited {:?} refusal {:?} | held {:.2} stand {:.2} n {}",
            confidence(&a),
            confidence(&finished(q, &cited, &p, Finish::Stop)),
            confidence(&finished(q, &uncited, &p, Finish::Stop)),
            confidence(&finished(q, &refusal, &p, Finish::Stop)),
            held(&a),
            standout(&p),
            p.items().len()
        );
    }
}

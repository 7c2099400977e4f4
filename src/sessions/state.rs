//! What a conversation has come to: what its entries add up to, whether they were just made or read from a file.

use super::entry::{Answer, Entry, Header, Question, Spent};
use crate::conversation::{Message, Part, Role, is_blank};

/// A conversation with its settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    /// Whether the offline model answered.
    pub(crate) offline: bool,
    /// The model as it was named.
    pub(crate) model: String,
    pub(crate) system: Option<String>,
    /// The name that the person gave to the session.
    pub(crate) title: Option<String>,
    exchanges: Vec<Exchange>,
    /// The last question, while or because it has no answer. It is not part of the conversation.
    unanswered: Option<Question>,
    spent: Spent,
    answers: u64,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exchange {
    pub(crate) question: Question,
    pub(crate) answer: Answer,
}

impl Session {
    pub(crate) fn new(offline: bool, model: String, system: Option<String>) -> Self {
        let (exchanges, spent) = (Vec::new(), Spent::default());
        Self { offline, model, system, title: None, exchanges, unanswered: None, spent, answers: 0 }
    }

    /// The session as its file began.
    pub(super) fn begun(header: Header) -> Self {
        let Header { version: _, created: _, offline, model, system, title, spent } = header;
        Self { title, spent, ..Self::new(offline, model, system) }
    }

    /// Takes account of what has happened.
    pub(crate) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Question(question) => self.unanswered = Some(question),
            Entry::Answer(answer) => self.add_answer(answer),
            Entry::Undo => self.take_back(),
            Entry::Model { name } => self.model = name,
            Entry::System { text } => self.system = text,
            Entry::Title { text } => self.title = Some(text),
        }
    }

    fn add_answer(&mut self, answer: Answer) {
        self.spent = self.spent.plus(answer.cost);
        // Bedrock refuses a conversation with an empty turn.
        if is_blank(&answer.text) {
            return;
        }
        self.answers = self.answers.saturating_add(1);
        if answer.replaces {
            if let Some(last) = self.exchanges.last_mut() {
                last.answer = answer;
            }
        } else if let Some(question) = self.unanswered.take() {
            self.exchanges.push(Exchange { question, answer });
        }
    }

    /// Takes back the last question, and its answer if it has one.
    fn take_back(&mut self) {
        if self.unanswered.take().is_none() {
            self.exchanges.pop();
        }
    }

    pub(crate) fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    pub(crate) fn last(&self) -> Option<&Exchange> {
        self.exchanges.last()
    }

    /// The last question, if it has no answer.
    pub(crate) fn unanswered(&self) -> Option<&Question> {
        self.unanswered.as_ref()
    }

    /// What all its calls have cost, failed ones included.
    pub(crate) fn spent(&self) -> Spent {
        self.spent
    }

    /// How many answers there were, those included that are no longer part of the conversation.
    pub(crate) fn answers(&self) -> u64 {
        self.answers
    }

    /// The conversation as a model gets it, without the question that has no answer.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let exchange = |exchange: &Exchange| [exchange.question.message(), Message::assistant(&exchange.answer.text)];
        self.exchanges.iter().flat_map(exchange).collect()
    }

    /// The name of the session, or else the first words that were asked in it.
    pub(crate) fn title(&self) -> Option<&str> {
        let first = || Some(self.exchanges.first()?.question.text.as_str());
        self.title.as_deref().or_else(first).or_else(|| Some(self.unanswered.as_ref()?.text.as_str()))
    }

    /// What its calls have cost beyond those whose answers it still has.
    pub(super) fn spent_besides(&self) -> Spent {
        let kept = self.exchanges.iter().map(|exchange| exchange.answer.cost);
        self.spent.since(kept.fold(Spent::default(), Spent::plus))
    }

    /// What makes this session again.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let exchanges = self.exchanges.iter().flat_map(|Exchange { question, answer }| {
            let answer = Answer { replaces: false, ..answer.clone() };
            [Entry::Question(question.clone()), Entry::Answer(answer)]
        });
        exchanges.chain(self.unanswered.clone().map(Entry::Question))
    }
}

impl Question {
    /// The question as a model gets it: the files first, as the models' makers advise for documents.
    pub(crate) fn message(&self) -> Message {
        let files = self.attachments.iter().map(|attached| attached.part.clone());
        Message { role: Role::User, parts: files.chain([Part::Text(self.text.clone())]).collect() }
    }
}

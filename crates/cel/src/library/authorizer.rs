//! `authorizer`: what the one who asks may do. Upstream: `apiserver/pkg/cel/library/authz.go`.
//!
//! An evaluation cannot ask an authorizer. It looks its questions up among the answers that it was given and fails at the
//! first that has none: whoever evaluates takes that question ([`Access::open_question`]), answers it, and evaluates again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Result;
use crate::eval::Error;
use crate::value::Value;

const RESOURCE: &str = "kubernetes.authorization.ResourceCheck";

/// May somebody do this?
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// Namespace and name of who is asked for instead of the request's user.
    pub service_account: Option<(String, String)>,
    /// Of what is no resource.
    pub path: Option<String>,
    pub group: String,
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    pub verb: String,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub allowed: bool,
    pub reason: String,
}

#[derive(Debug, Default)]
struct Answers {
    known: BTreeMap<Question, Rc<Answer>>,
    open: Option<Question>,
}

/// A question as far as it has been put. Clones share their answers.
#[derive(Clone, Debug)]
pub struct Access {
    /// The name of its type.
    pub(crate) stage: &'static str,
    question: Question,
    answers: Rc<RefCell<Answers>>,
}

impl Default for Access {
    fn default() -> Access {
        Access { stage: "kubernetes.authorization.Authorizer", question: Question::default(), answers: Rc::default() }
    }
}

impl Access {
    /// `authorizer.requestResource`: asks about one resource.
    pub fn about(&self, question: Question) -> Access {
        Access { stage: RESOURCE, question, answers: self.answers.clone() }
    }

    /// What the last evaluation had no answer to.
    pub fn open_question(&self) -> Option<Question> {
        self.answers.borrow_mut().open.take()
    }

    pub fn answer(&self, question: Question, answer: Answer) {
        self.answers.borrow_mut().known.insert(question, Rc::new(answer));
    }

    fn ask(&self, verb: &str) -> Result {
        let question = Question { verb: verb.into(), ..self.question.clone() };
        let mut answers = self.answers.borrow_mut();
        if let Some(answer) = answers.known.get(&question) {
            return Ok(Value::Decision(answer.clone()));
        }
        answers.open.get_or_insert(question);
        Err(Error::new("the authorizer has not answered"))
    }

    fn then(&self, stage: &'static str, put: impl FnOnce(&mut Question)) -> Option<Result> {
        let mut next = Access { stage, ..self.clone() };
        put(&mut next.question);
        Some(Ok(Value::Access(Rc::new(next))))
    }
}

pub(super) fn call(name: &str, member: bool, args: &[Value]) -> Option<Result> {
    match args {
        [Value::Access(access), Value::String(text)] if member => {
            let text = || text.to_string();
            match name {
                "path" => access.then("kubernetes.authorization.PathCheck", |put| put.path = Some(text())),
                "group" => access.then("kubernetes.authorization.GroupCheck", |put| put.group = text()),
                "resource" => access.then(RESOURCE, |put| put.resource = text()),
                "subresource" => access.then(RESOURCE, |put| put.subresource = text()),
                "namespace" => access.then(RESOURCE, |put| put.namespace = text()),
                "name" => access.then(RESOURCE, |put| put.name = text()),
                "fieldSelector" | "labelSelector" => access.then(RESOURCE, |_| {}),
                "check" => Some(access.ask(&text())),
                _ => None,
            }
        }
        [Value::Access(access), Value::String(namespace), Value::String(name_)] if name == "serviceAccount" => {
            let account = (namespace.to_string(), name_.to_string());
            access.then(access.stage, |put| put.service_account = Some(account))
        }
        [Value::Decision(answer)] if member => Some(Ok(match name {
            "allowed" => Value::Bool(answer.allowed),
            "reason" => Value::from(answer.reason.as_str()),
            "errored" => Value::Bool(false),
            "error" => Value::from(""),
            _ => return None,
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Env, Type};

    #[test]
    fn an_answered_question_is_not_asked_again() {
        let env = Env::new().with("authorizer", Type::Opaque("kubernetes.authorization.Authorizer"));
        let source = "authorizer.group('apps').resource('deployments').namespace('a').check('get').allowed()";
        let program = env.compile(source).expect("a sound expression");
        assert_eq!(*program.output(), Type::Bool);
        let access = Access::default();
        let activation = Activation::new().with("authorizer", Value::Access(Rc::new(access.clone())));
        assert!(program.eval(&activation).is_err());
        let question = access.open_question().expect("it has been asked");
        assert_eq!((question.group.as_str(), question.verb.as_str()), ("apps", "get"));
        access.answer(question, Answer { allowed: true, reason: String::new() });
        assert_eq!(program.eval(&activation), Ok(Value::Bool(true)));
        assert_eq!(access.open_question(), None);
        assert!(env.compile("authorizer.check('get')").is_err());
    }
}

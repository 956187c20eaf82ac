//! Kinds that are kept as another: what a client sends and is shown has the served kind's form, what is stored the other's.

use api::object::Tree;
use api::{Draft, FieldValidation, Kind, Object, ObjectRef, Response, Status};

use crate::ApiServer;

/// What a client sent, as it is stored.
pub(crate) fn to_stored(served: &'static Kind, object: Draft) -> Result<Draft, Status> {
    let Some(view) = served.view.filter(|_| !served.id.is_custom()) else { return Ok(object) };
    let value = (view.to_stored)(object.to_value());
    let (object, _) = api::decode::decode(served.stored(), value, FieldValidation::Ignore)?;
    Ok(object)
}

/// What is stored, as the client wants to see it.
fn from_stored(served: &'static Kind, object: &ObjectRef) -> ObjectRef {
    converted(served, &**object).map_or_else(|| object.clone(), Draft::share)
}

/// The same; `None` for what has the served kind's form.
pub(crate) fn converted(served: &'static Kind, object: &dyn Object) -> Option<Draft> {
    let view = served.view.filter(|view| object.kind_id() == view.stored)?;
    Some(Draft::new(Tree::new(served.id, (view.from_stored)(object.to_value()))))
}

impl ApiServer {
    /// What is stored, as a client of the served kind sees it.
    pub(crate) fn shown(&self, served: &'static Kind, object: &ObjectRef) -> ObjectRef {
        match self.customs.find(served.id) {
            Some(custom) if object.kind_id() == served.stored().id => custom.shown(object),
            _ => from_stored(served, object),
        }
    }

    pub(crate) fn shown_response(&self, served: &'static Kind, response: Response) -> Response {
        if served.view.is_none() {
            return response;
        }
        match response {
            Response::Object(object) => Response::Object(self.shown(served, &object)),
            Response::List(mut list) => {
                list.kind = served.id;
                for item in &mut list.items {
                    *item = self.shown(served, item);
                }
                Response::List(list)
            }
            other => other,
        }
    }
}

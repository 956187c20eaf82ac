//! Kinds that are kept as another: what a client sends and is shown has the served kind's form, what is stored the other's.

use api::object::Tree;
use api::{Draft, FieldValidation, Kind, ObjectRef, Response, Status};

/// What a client sent, as it is stored.
pub(crate) fn to_stored(served: &'static Kind, object: Draft) -> Result<Draft, Status> {
    let Some(view) = served.view else { return Ok(object) };
    let value = (view.to_stored)(object.to_value());
    let (object, _) = api::decode::decode(served.stored(), value, FieldValidation::Ignore)?;
    Ok(object)
}

/// What is stored, as the client wants to see it.
pub(crate) fn from_stored(served: &'static Kind, object: &ObjectRef) -> ObjectRef {
    match served.view {
        Some(view) if object.kind_id() == view.stored => {
            Draft::new(Tree::new(served.id, (view.from_stored)(object.to_value()))).share()
        }
        _ => object.clone(),
    }
}

pub(crate) fn response(served: &'static Kind, response: Response) -> Response {
    if served.view.is_none() {
        return response;
    }
    match response {
        Response::Object(object) => Response::Object(from_stored(served, &object)),
        Response::List(mut list) => {
            list.kind = served.id;
            for item in &mut list.items {
                *item = from_stored(served, item);
            }
            Response::List(list)
        }
        other => other,
    }
}

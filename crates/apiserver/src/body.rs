//! From a request's body to an object.

use api::{Body, Kind, Object, Request, Status};

use crate::ApiServer;
use crate::registry;

impl ApiServer {
    /// Decodes and defaults the object that a create or update carries.
    pub(crate) fn object_of(&mut self, kind: &'static Kind, request: &mut Request) -> Result<Box<dyn Object>, Status> {
        let mut object = match std::mem::take(&mut request.body) {
            Body::Typed(object) if object.kind_id() == kind.id => object,
            Body::Json(value) => {
                let (object, warnings) =
                    api::decode::decode_text(kind, value, &request.options.layout, request.options.field_validation)?;
                self.warnings.extend(warnings);
                object
            }
            _ => return Err(Status::bad_request("the request has no object of this kind")),
        };
        (registry::rules(kind.id).default)(&mut *object);
        Ok(object)
    }
}

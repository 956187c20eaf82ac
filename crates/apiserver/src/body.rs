//! From a request's body to an object.

use api::{Body, Draft, Kind, Request, Status};

use crate::{ApiServer, registry, view};

impl ApiServer {
    /// Decodes and defaults the object that a create or update carries.
    pub(crate) fn object_of(&mut self, kind: &'static Kind, request: &mut Request) -> Result<Draft, Status> {
        let mut object = match std::mem::take(&mut request.body) {
            Body::Typed(object) if object.kind_id() == kind.id => object,
            Body::Json(value) => {
                let (layout, validation) = (&request.options.layout, request.options.field_validation);
                let served = api::kinds::row(request.kind);
                let (object, warnings) = api::decode::decode_text(served, value, layout, validation)?;
                self.warnings.extend(warnings);
                view::to_stored(served, object)?
            }
            _ => return Err(Status::bad_request("the request has no object of this kind")),
        };
        (registry::rules(kind.id).default)(&mut *object);
        Ok(object)
    }
}

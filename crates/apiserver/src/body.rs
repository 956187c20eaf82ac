//! From a request's body to an object.

use api::json::Layout;
use api::{Body, Draft, FieldValidation, Kind, Request, Status};
use serde_json::Value;

use crate::{ApiServer, registry, view};

impl ApiServer {
    /// Decodes and defaults the object that a create or update carries.
    pub(crate) fn object_of(&mut self, kind: &'static Kind, request: &mut Request) -> Result<Draft, Status> {
        let mut object = match std::mem::take(&mut request.body) {
            Body::Typed(object) if object.kind_id() == kind.id => object,
            Body::Json(value) => {
                let (layout, validation) = (&request.options.layout, request.options.field_validation);
                let served = self.kind(request.kind)?;
                let (object, warnings) = match self.customs.find(served.id) {
                    Some(custom) => custom.decode(value, layout, validation)?,
                    None => api::decode::decode_text(served, value, layout, validation)?,
                };
                self.warnings.extend(warnings);
                view::to_stored(served, object)?
            }
            _ => return Err(Status::bad_request("the request has no object of this kind")),
        };
        self.rules(kind, request).default(&mut *object);
        Ok(object)
    }

    /// The same of what server-side apply has made.
    pub(crate) fn decoded(&self, served: &'static Kind, value: Value) -> Result<Draft, Status> {
        let (object, _) = match self.customs.find(served.id) {
            Some(custom) => custom.decode(value, &Layout::default(), FieldValidation::Ignore)?,
            None => api::decode::decode(served, value, FieldValidation::Ignore)?,
        };
        let mut object = view::to_stored(served, object)?;
        if !served.id.is_custom() {
            (registry::rules(served.stored().id).default)(&mut *object);
        }
        Ok(object)
    }
}

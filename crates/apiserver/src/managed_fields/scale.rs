//! The managers of a `Scale` and of the object behind it: upstream's `managedfields.ScaleHandler`.

use api::patch::apply::{Element, Manager};

use super::*;

const SCALE_VERSION: &str = "autoscaling/v1";
const SCALE: &str = "autoscaling.v1.Scale";

/// A `Scale` that is being written to, with the managers of its replicas.
pub(crate) struct Scaled {
    parent: Managers,
    api_version: String,
    managers: Managers,
}

impl Scaled {
    /// The managers of an object that own its replicas, as those of its scale.
    pub fn of(kind: &Kind, object: &dyn Object) -> Scaled {
        let parent = decoded(&object.meta().managed_fields);
        let of_replicas = parent.iter().filter(|manager| manager.fields.contains(&replicas()));
        let managers = of_replicas
            .map(|manager| Manager {
                api_version: SCALE_VERSION.into(),
                fields: Set::of(&["spec.replicas"]),
                ..manager.clone()
            })
            .collect();
        Scaled { parent, api_version: kind.api_version(), managers }
    }

    fn target<T>(act: impl FnOnce(&Target) -> T) -> T {
        let empty = json!({ "metadata": {}, "spec": {}, "status": {} });
        let serves = |version: &str| version == SCALE_VERSION;
        let target = Target { shape: Shape::of_struct(SCALE), reset: &Set::default(), empty: &empty, serves: &serves };
        act(&target)
    }

    /// Notes a PUT or PATCH of the scale. Nobody is noted of an object that nobody owns.
    pub fn update(&mut self, context: &Context, request: &Request, live: &Value, new: &Value) {
        if !self.managers.is_empty() {
            let writer = writer(context, request, SCALE_VERSION.into());
            Scaled::target(|target| self.managers.update(target, live, new, &writer));
        }
    }

    /// Applies a configuration to the scale.
    pub fn apply(
        &mut self,
        context: &Context,
        request: &Request,
        live: &Value,
        config: &Value,
    ) -> Result<Value, Status> {
        if config["apiVersion"] != SCALE_VERSION || config["kind"] != "Scale" {
            return Err(Status::bad_request(format!("invalid object type: {}", kind_text(config))));
        }
        if let Err(why) = validate(Shape::of_struct(SCALE), config) {
            let text = |name: &str| config["metadata"][name].as_str().unwrap_or_default();
            let about = format!("{}/{}; {}", text("namespace"), text("name"), kind_text(config));
            return Err(internal(format!("failed to create typed patch object ({about}): {why}")));
        }
        let writer = writer(context, request, SCALE_VERSION.into());
        let force = request.options.force;
        let applied = Scaled::target(|target| self.managers.apply(target, live, config, &writer, force));
        match applied {
            Ok(applied) => Ok(applied.unwrap_or_else(|| live.clone())),
            Err(Refusal::Conflicts(conflicts)) => Err(conflict_status(&conflicts)),
            Err(Refusal::Other(why)) => Err(internal(why)),
        }
    }

    /// The managers of the object: whoever lost the replicas in the scale loses them here.
    pub fn into_parent(self) -> Entries {
        let mut lost = Set::default();
        lost.insert(&replicas());
        let mut managers: Vec<Manager> = self.parent.iter().cloned().collect();
        for manager in managers.iter_mut().filter(|manager| manager.fields.contains(&replicas())) {
            let same = |other: &Manager| {
                (&other.name, other.operation, &other.subresource)
                    == (&manager.name, manager.operation, &manager.subresource)
            };
            if !self.managers.iter().any(same) {
                manager.fields = manager.fields.difference(&lost);
            }
        }
        for scaler in self.managers.iter().filter(|manager| manager.fields.contains(&replicas())) {
            let same = |other: &Manager| {
                (&other.name, other.operation, &other.subresource)
                    == (&scaler.name, scaler.operation, &scaler.subresource)
            };
            if !managers.iter().any(same) {
                let api_version = self.api_version.clone();
                managers.push(Manager { api_version, time: None, fields: lost.clone(), ..scaler.clone() });
            }
        }
        managers.retain(|manager| !manager.fields.is_empty());
        managers.into_iter().collect::<Managers>().encode()
    }
}

fn replicas() -> [Element; 2] {
    [Element::field("spec"), Element::field("replicas")]
}

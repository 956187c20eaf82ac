//! The managers of a `Scale` and of the object behind it: upstream's `managedfields.ScaleHandler`.

use api::patch::apply::{Element, Manager, Managers, Set, Shape, Target};
use api::{Kind, Object, Request, Status};
use serde_json::{Value, json};

use super::{Entries, check_config, decoded, refused, writer};
use crate::Context;

const SCALE_VERSION: &str = "autoscaling/v1";
const SCALE: &str = "autoscaling.v1.Scale";

/// A `Scale` that is being written to, with the managers of its replicas.
pub(crate) struct ScaleManagers {
    parent: Managers,
    api_version: String,
    managers: Managers,
}

impl ScaleManagers {
    /// The managers of an object that own its replicas, as those of its scale.
    pub fn of(kind: &Kind, object: &dyn Object) -> ScaleManagers {
        let parent = decoded(&object.meta().managed_fields);
        let of_replicas = parent.iter().filter(|manager| manager.fields.contains(&replicas()));
        let managers = of_replicas
            .map(|manager| Manager {
                api_version: SCALE_VERSION.into(),
                fields: Set::of(&["spec.replicas"]),
                ..manager.clone()
            })
            .collect();
        ScaleManagers { parent, api_version: kind.api_version(), managers }
    }

    fn target<T>(act: impl FnOnce(&Target) -> T) -> T {
        let empty = json!({ "metadata": {}, "spec": {}, "status": {} });
        let serves = |version: &str| version == SCALE_VERSION;
        let target = Target { shape: Shape::of_struct(SCALE), reset: &Set::default(), empty: &empty, serves: &serves };
        act(&target)
    }

    /// As the scale shows them.
    pub fn entries(&self) -> Entries {
        self.managers.clone().encode()
    }

    /// Notes a PUT or PATCH of the scale. Nobody is noted of an object that nobody owns.
    pub fn update(&mut self, context: &Context, request: &Request, live: &Value, new: &Value) {
        if !self.managers.is_empty() {
            let writer = writer(context, request, SCALE_VERSION.into());
            ScaleManagers::target(|target| self.managers.update(target, live, new, &writer));
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
        check_config(Shape::of_struct(SCALE), SCALE_VERSION, "Scale", config)?;
        let writer = writer(context, request, SCALE_VERSION.into());
        let force = request.options.force;
        let applied = ScaleManagers::target(|target| self.managers.apply(target, live, config, &writer, force));
        Ok(applied.map_err(refused)?.unwrap_or_else(|| live.clone()))
    }

    /// The managers of the object: whoever lost the replicas in the scale loses them here.
    pub fn into_parent(self) -> Entries {
        let mut lost = Set::default();
        lost.insert(&replicas());
        let mut managers: Vec<Manager> = self.parent.iter().cloned().collect();
        for manager in managers.iter_mut().filter(|manager| manager.fields.contains(&replicas())) {
            if !self.managers.iter().any(|other| is_same(other, manager)) {
                manager.fields = manager.fields.difference(&lost);
            }
        }
        for scaler in self.managers.iter().filter(|manager| manager.fields.contains(&replicas())) {
            if !managers.iter().any(|other| is_same(other, scaler)) {
                let api_version = self.api_version.clone();
                managers.push(Manager { api_version, time: None, fields: lost.clone(), ..scaler.clone() });
            }
        }
        managers.retain(|manager| !manager.fields.is_empty());
        managers.into_iter().collect::<Managers>().encode()
    }
}

/// The same manager, be it of the object or of its scale.
fn is_same(one: &Manager, two: &Manager) -> bool {
    (&one.name, one.operation, &one.subresource) == (&two.name, two.operation, &two.subresource)
}

fn replicas() -> [Element; 2] {
    [Element::field("spec"), Element::field("replicas")]
}

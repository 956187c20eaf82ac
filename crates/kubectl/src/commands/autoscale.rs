//! `kubectl autoscale`

use api::request::Subresource;
use serde_json::json;

use super::apply::DryRun;
use super::create::{self, Made, require};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int32, text};
use crate::resource::{self, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-autoscale"),
    int32("min", ' ', "-1", "The lower limit of Pods"),
    int32("max", ' ', "-1", "The upper limit of Pods"),
    int32("cpu-percent", ' ', "-1", "The wanted average use of CPU, in percent of the request"),
    text("name", ' ', "The autoscaler's name"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    require(args, &["max"])?;
    let (low, high) = (args.int("min"), args.int("max"));
    if high < 1 {
        return Err(Failure::error(format!("--max=MAXPODS is required and must be at least 1, max: {high}")));
    }
    if high < low {
        return Err(Failure::error(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {high}, min: {low}"
        )));
    }
    let picked = resource::pick(call, &super::expose::without_selector(args), Rules::default())?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    for info in &picked.infos {
        if !info.kind.has(Subresource::Scale) {
            return Err(Failure::error(format!(
                "cannot autoscale a {}: could not find scale subresource for {}, Resource={} in discovery information",
                info.kind.kind,
                crate::apply::version(info.kind),
                info.kind.plural
            )));
        }
        let mut spec = json!({
            "maxReplicas": high,
            "scaleTargetRef": {
                "apiVersion": info.kind.api_version(), "kind": info.kind.kind, "name": info.name,
            },
        });
        if low > 0 {
            spec["minReplicas"] = low.into();
        }
        let percent = args.int("cpu-percent");
        if percent >= 0 {
            let target = json!({ "type": "Utilization", "averageUtilization": percent });
            spec["metrics"] = json!([{ "type": "Resource", "resource": { "name": "cpu", "target": target } }]);
        }
        let name = args.some_text("name").unwrap_or(&info.name).to_owned();
        let value = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": { "creationTimestamp": null, "name": name }, "spec": spec,
            "status": { "currentMetrics": null, "desiredReplicas": 0 },
        });
        let done = if DryRun::read(args)? == DryRun::Client { "created" } else { "autoscaled" };
        create::make(call, args, Made { done, ..Made::new(value, "") })?;
    }
    Ok(0)
}

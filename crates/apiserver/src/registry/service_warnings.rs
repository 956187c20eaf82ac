//! What a Service is warned about. Upstream: `pkg/api/service/warnings.go`.

use api::field::Path;
use api::types::{ObjectMeta, ServiceSpec};

use super::addresses::{cidr_warnings, ip_warning};
use super::rules::{is_empty, list, text};
use super::service::{TOPOLOGY_HINTS, TOPOLOGY_MODE, is_headless};

pub(super) fn of_spec(spec: &ServiceSpec, meta: &ObjectMeta) -> Vec<String> {
    let path = Path::new("spec");
    let mut warnings = Vec::new();
    let is_named = text(&spec.type_) == "ExternalName";
    let is_headless_here = text(&spec.type_) == "ClusterIP" && is_headless(spec);
    if api::meta::annotation(meta, TOPOLOGY_HINTS).is_some() {
        warnings.push(format!("annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"));
    }
    if !is_empty(&spec.cluster_ip) && !is_headless(spec) {
        let path = path.child("clusterIPs");
        let own = list(&spec.cluster_ips).iter().enumerate();
        warnings.extend(own.filter_map(|(index, address)| ip_warning(&path.index(index), address)));
    }
    let warn = |applies: bool, text: &str, warnings: &mut Vec<String>| {
        if applies {
            warnings.push(text.to_owned());
        }
    };
    let has_external = !list(&spec.external_ips).is_empty();
    for (is_ignored, field) in [
        (!is_empty(&spec.load_balancer_ip), "loadBalancerIP"),
        (has_external, "externalIPs"),
        (text(&spec.session_affinity) != "None", "SessionAffinity"),
    ] {
        let text = format!("spec.{field} is ignored for headless services");
        warn(is_headless_here && is_ignored, &text, &mut warnings);
    }
    let external = path.child("externalIPs");
    let others = list(&spec.external_ips).iter().enumerate();
    warnings.extend(others.filter_map(|(index, address)| ip_warning(&external.index(index), address)));
    let deprecated = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
    warn(has_external && !is_headless_here && !is_named, deprecated, &mut warnings);
    warnings.extend(ip_warning(&path.child("loadBalancerIP"), text(&spec.load_balancer_ip)));
    let ranges = path.child("loadBalancerSourceRanges");
    for (index, range) in list(&spec.load_balancer_source_ranges).iter().enumerate() {
        warnings.extend(cidr_warnings(&ranges.index(index), range));
    }
    let ignored = "spec.externalIPs is ignored when spec.type is \"ExternalName\"";
    warn(is_named && has_external, ignored, &mut warnings);
    let ignored = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
    warn(!is_named && !is_empty(&spec.external_name), ignored, &mut warnings);
    let is_close = text(&spec.traffic_distribution) == "PreferClose";
    let deprecated = "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
    warn(is_close, deprecated, &mut warnings);
    warnings
}

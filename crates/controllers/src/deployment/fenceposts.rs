//! How far a rolling update may stray from the wanted number of Pods.

use api::types::{Deployment, IntOrString};

/// A number, or a share of `total`. Percentages are rounded as told; what cannot be read counts as 0.
pub(crate) fn scaled(value: Option<&IntOrString>, total: i32, round_up: bool) -> i32 {
    match value {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => {
            let percent: Option<i64> = text.strip_suffix('%').and_then(|number| number.parse().ok());
            let product = percent.unwrap_or_default().saturating_mul(i64::from(total));
            let rounded = if round_up { product.saturating_add(99).div_euclid(100) } else { product.div_euclid(100) };
            rounded.clamp(0, i64::from(i32::MAX)) as i32
        }
        None => 0,
    }
}

/// Surge and unavailability of a rolling update: percentages of the surge are rounded up, of the unavailability down.
/// Both 0 would never get on, so that one Pod may then be unavailable.
fn resolve(surge: Option<&IntOrString>, unavailable: Option<&IntOrString>, desired: i32) -> (i32, i32) {
    match (scaled(surge, desired, true), scaled(unavailable, desired, false)) {
        (0, 0) => (0, 1),
        both => both,
    }
}

fn of_deployment(deployment: &Deployment) -> Option<(i32, i32)> {
    let spec = deployment.spec.as_ref()?;
    let strategy = spec.strategy.as_ref()?;
    if strategy.type_.as_deref() != Some("RollingUpdate") {
        return None;
    }
    let rolling = strategy.rolling_update.as_ref()?;
    Some(resolve(rolling.max_surge.as_ref(), rolling.max_unavailable.as_ref(), desired(deployment)))
}

/// `spec.replicas`
pub(super) fn desired(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

pub(super) fn is_rolling(deployment: &Deployment) -> bool {
    of_deployment(deployment).is_some()
}

/// Pods above the wanted number; 0 unless the strategy is RollingUpdate.
pub(super) fn max_surge(deployment: &Deployment) -> i32 {
    of_deployment(deployment).map(|(surge, _)| surge).unwrap_or_default()
}

/// Pods below the wanted number; 0 unless the strategy is RollingUpdate.
pub(super) fn max_unavailable(deployment: &Deployment) -> i32 {
    let desired = desired(deployment);
    let unavailable = of_deployment(deployment).map(|(_, unavailable)| unavailable).unwrap_or_default();
    if desired == 0 { 0 } else { unavailable.min(desired) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surge_rounds_up_and_unavailability_down() {
        let percent = |text: &str| Some(IntOrString::String(text.into()));
        let cases = [
            (percent("25%"), percent("25%"), 4, (1, 1)),
            (percent("25%"), percent("25%"), 10, (3, 2)),
            (percent("25%"), percent("25%"), 3, (1, 0)),
            (percent("0%"), percent("10%"), 3, (0, 1)),
            (percent("100%"), Some(IntOrString::Int(0)), 3, (3, 0)),
            (Some(IntOrString::Int(3)), Some(IntOrString::Int(2)), 10, (3, 2)),
            (None, None, 5, (0, 1)),
            (percent("nonsense"), Some(IntOrString::Int(1)), 5, (0, 1)),
        ];
        for (surge, unavailable, desired, expected) in cases {
            assert_eq!(resolve(surge.as_ref(), unavailable.as_ref(), desired), expected, "{surge:?} {unavailable:?}");
        }
    }
}

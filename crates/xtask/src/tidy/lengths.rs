//! Files stay short enough to be read in one go.

use super::{Findings, SourceFile};

const WARN_ABOVE: usize = 600;
const FAIL_ABOVE: usize = 800;

/// Files that were longer when the rule came, with the length that they may not exceed.
const LONGER: &[(&str, usize)] = &[];

pub fn check(file: &SourceFile, findings: &mut Findings) {
    if !file.has_extension(&["rs", "js", "mjs", "css"]) {
        return;
    }
    let lines = file.text.lines().count();
    let path = &file.path;
    let allowed = LONGER.iter().find(|(longer, _)| longer == path).map_or(FAIL_ABOVE, |(_, lines)| *lines);
    if lines > allowed {
        findings.failures.push(format!("{path} has {lines} lines, more than {allowed}: split it"));
    } else if lines > WARN_ABOVE {
        findings.warnings.push(format!("{path} has {lines} lines, more than {WARN_ABOVE}"));
    }
}

//! Words that a finished file does not hold: notes to oneself, and paths of somebody's machine.

use super::{Findings, SourceFile};
use crate::workspace;

/// Put together from parts so that this file passes its own check.
const UNFINISHED: &[&str] = &[concat!("to", "do!("), concat!("FIX", "ME"), concat!("X", "XX:")];

const HOME_FOLDERS: &[&str] = &[concat!("/home", "/"), concat!("/Users", "/"), concat!("/root", "/")];

/// Lines that speak of a home folder inside a simulated container or of an example machine.
const NO_REAL_HOME: &[&str] = &[concat!("/home", "/user"), concat!("/home", "/node"), concat!("/home", "/runner")];

pub fn check(file: &SourceFile, findings: &mut Findings) {
    let here = workspace::root().display().to_string();
    for (number, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, number + 1);
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            findings.failures.push(format!("{place}: holds {word:?}: finish it or open an issue"));
        }
        let home = HOME_FOLDERS.iter().any(|home| line.contains(home));
        if line.contains(&here) || (home && !NO_REAL_HOME.iter().any(|path| line.contains(path))) {
            findings.failures.push(format!("{place}: holds an absolute path of one machine"));
        }
    }
}

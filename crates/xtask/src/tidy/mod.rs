//! `cargo xtask tidy`: house rules that no compiler checks. They are a test too, and only ever get stricter.

mod edges;
mod lengths;
mod lock_files;
mod words;

use std::fs;

use anyhow::bail;
use xshell::cmd;

use crate::workspace;

/// A text file of the repository.
pub struct SourceFile {
    /// Relative to the repository, with forward slashes.
    pub path: String,
    pub text: String,
}

impl SourceFile {
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }
}

/// What a rule found.
#[derive(Default)]
pub struct Findings {
    pub failures: Vec<String>,
    pub warnings: Vec<String>,
}

pub fn run() -> anyhow::Result<()> {
    let findings = check()?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for failure in &findings.failures {
        println!("error: {failure}");
    }
    if !findings.failures.is_empty() {
        bail!("{} house rules are broken", findings.failures.len());
    }
    println!("tidy: every house rule holds");
    Ok(())
}

fn check() -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    for file in source_files()? {
        lengths::check(&file, &mut findings);
        words::check(&file, &mut findings);
        lock_files::check(&file, &mut findings);
    }
    findings.failures.extend(edges::violations(&workspace::packages()?));
    Ok(findings)
}

/// Every text file that git knows or would take in.
fn source_files() -> anyhow::Result<Vec<SourceFile>> {
    let shell = workspace::shell()?;
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard -z").quiet().read()?;
    let read = |path: &str| {
        // A deleted file may still be listed, and a picture is no text: neither is ours to check.
        let text = String::from_utf8(fs::read(workspace::root().join(path)).ok()?).ok()?;
        Some(SourceFile { path: path.to_owned(), text })
    };
    Ok(listed.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::check().expect("git and cargo metadata run");
        assert!(findings.failures.is_empty(), "{}", findings.failures.join("\n"));
    }
}

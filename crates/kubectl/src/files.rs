//! The files that commands read and write: those of the page, or a disk's.

use std::collections::BTreeMap;

/// Where the terminal's simulated shell lives; the page's files lie there.
pub(crate) const HOME: &str = "/root";

/// How a native program reaches its disk. This crate itself touches none.
#[derive(Clone, Copy)]
pub struct Disk {
    /// The text of a file, or why there is none.
    pub read: fn(&str) -> Option<String>,
    pub write: fn(&str, &str),
    /// The names of what lies directly inside a folder, in their order, those of folders with a `/` behind them; `None`
    /// when it is no folder.
    pub list: fn(&str) -> Option<Vec<String>>,
    /// Where relative paths begin.
    pub folder: fn() -> String,
    /// The text behind an address of the web; `Err` is the line that says why there is none.
    pub fetch: fn(&str) -> Result<String, String>,
}

/// Page files by their path, which has no leading `./`; or a disk.
#[derive(Default)]
pub(crate) struct Files {
    page: BTreeMap<String, String>,
    disk: Option<Disk>,
}

impl Files {
    pub fn on(disk: Disk) -> Files {
        Files { disk: Some(disk), ..Files::default() }
    }

    pub fn are_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// The files of the page.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.page
    }

    pub fn read(&self, path: &str) -> Option<String> {
        match self.disk {
            Some(disk) => (disk.read)(path),
            None => self.page.get(key(path)).cloned(),
        }
    }

    /// The text behind an address of the web, which a page does not reach.
    pub fn fetch(&self, url: &str) -> Result<String, String> {
        match self.disk {
            Some(disk) => (disk.fetch)(url),
            None => Err(format!(
                "error: unable to read URL {url:?}: this page has no way to the Internet: paste the manifest into a file \
                 instead"
            )),
        }
    }

    pub fn write(&mut self, path: &str, text: String) {
        match self.disk {
            Some(disk) => (disk.write)(path, &text),
            None => drop(self.page.insert(key(path).into(), text)),
        }
    }

    pub fn append(&mut self, path: &str, text: &str) {
        let text = self.read(path).unwrap_or_default() + text;
        self.write(path, text);
    }

    /// False when there is no such file of the page.
    pub fn remove(&mut self, path: &str) -> bool {
        self.page.remove(key(path)).is_some()
    }

    /// The names of the files directly inside a folder; `None` when there is no such folder.
    pub fn list(&self, folder: &str) -> Option<Vec<String>> {
        let names = self.entries(folder)?.into_iter();
        Some(names.filter(|name| !name.ends_with('/')).collect())
    }

    /// The names of the folders directly inside a folder.
    pub fn folders(&self, folder: &str) -> Vec<String> {
        let names = self.entries(folder).unwrap_or_default().into_iter();
        names.filter_map(|name| name.strip_suffix('/').map(str::to_owned)).collect()
    }

    pub fn is_folder(&self, path: &str) -> bool {
        self.read(path).is_none() && self.entries(path).is_some()
    }

    /// The path from the root of the file system.
    pub fn absolute(&self, path: &str) -> String {
        let folder = self.disk.map_or_else(|| HOME.to_owned(), |disk| (disk.folder)());
        match path {
            "." => folder,
            path if path.starts_with('/') => path.into(),
            path => format!("{folder}/{}", path.trim_start_matches("./").trim_end_matches('/')),
        }
    }

    fn entries(&self, folder: &str) -> Option<Vec<String>> {
        if let Some(disk) = self.disk {
            return (disk.list)(folder);
        }
        let folder = key(folder).trim_end_matches('/');
        let prefix = if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") };
        let inside = self.page.keys().filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<String> = inside
            .map(|name| name.split_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/")))
            .collect();
        names.dedup();
        (!names.is_empty() || prefix.is_empty()).then_some(names)
    }
}

/// How the page names a path.
fn key(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix(HOME)?.strip_prefix('/')) {
        path = rest;
    }
    path.strip_prefix("~/").unwrap_or(path)
}

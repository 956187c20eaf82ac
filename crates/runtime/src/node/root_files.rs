//! What a container's root file system holds: its image's files, and those that the runtime writes.

use super::machine::Machine;
use crate::SimTime;
use crate::images::{Base, Image};
use crate::vfs::{Tree, path_names};

/// Builds the tree of an image.
pub fn image_tree(image: &Image) -> Tree {
    let mut tree = Tree::default();
    let mut write = |path: &str, text: &str, mode: u32| {
        let _ = tree.write_all(path, text.as_bytes(), mode, 0);
    };
    let os_release = match image.spec.base {
        Base::Alpine => "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.2\nPRETTY_NAME=\"Alpine Linux v3.22\"\n",
        Base::Debian if image.reference.contains("/ubuntu") => {
            "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n"
        }
        Base::Debian => {
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n"
        }
        Base::Busybox | Base::Scratch => "",
    };
    if !os_release.is_empty() {
        write("/etc/os-release", os_release, 0o644);
    }
    if image.spec.base.has_shell() {
        let user = image.spec.user;
        let own = match user {
            "" => String::new(),
            _ => format!("{user}:x:{0}:{0}::/:/sbin/nologin\n", image.spec.uid),
        };
        write("/etc/passwd", &format!("root:x:0:0:root:/root:/bin/sh\n{own}"), 0o644);
        write("/etc/group", "root:x:0:\n", 0o644);
    }
    for (path, text) in image.spec.files {
        write(path, text, if path.ends_with(".sh") { 0o755 } else { 0o644 });
    }
    let mut directories = vec!["/etc", "/tmp", "/proc", "/sys", "/dev"];
    if image.spec.base.has_shell() {
        directories.extend([
            "/bin",
            "/home",
            "/root",
            "/usr/bin",
            "/usr/sbin",
            "/usr/local/bin",
            "/var/log",
            "/var/run",
        ]);
        directories.extend(["/var/lib", "/opt", "/mnt", "/run", "/lib", "/sbin", "/srv"]);
    }
    directories.push(image.spec.working_dir);
    for directory in directories {
        let _ = tree.make_dir_all(directory, 0);
    }
    if image.spec.programs.contains(&"nginx") {
        let _ = tree.link_all("/var/log/nginx/access.log", "/dev/stdout", 0);
        let _ = tree.link_all("/var/log/nginx/error.log", "/dev/stderr", 0);
    }
    tree
}

impl Machine<'_> {
    /// Writes what the runtime puts into every container: host name, hosts, name servers, mount points.
    pub(super) fn prepare_files(&mut self, now: SimTime) {
        let sandbox = self.sandbox;
        let mut hosts = String::from("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n");
        if let Some(ip) = &sandbox.ip {
            hosts.push_str(&format!("{ip}\t{}\n", sandbox.hostname));
        }
        if !sandbox.hosts.is_empty() {
            hosts.push_str("\n# Entries added by HostAliases.\n");
        }
        for (ip, names) in &sandbox.hosts {
            hosts.push_str(&format!("{ip}\t{}\n", names.join("\t")));
        }
        let mut resolv = String::new();
        if !sandbox.dns.searches.is_empty() {
            resolv.push_str(&format!("search {}\n", sandbox.dns.searches.join(" ")));
        }
        for server in &sandbox.dns.servers {
            resolv.push_str(&format!("nameserver {server}\n"));
        }
        if !sandbox.dns.options.is_empty() {
            resolv.push_str(&format!("options {}\n", sandbox.dns.options.join(" ")));
        }
        let container = &mut *self.container;
        let mut tree = Tree::new(container.root.root().clone());
        let host_name = format!("{}\n", sandbox.hostname);
        for (path, text) in [("/etc/hosts", &hosts), ("/etc/resolv.conf", &resolv), ("/etc/hostname", &host_name)] {
            let _ = tree.write_all(path, text.as_bytes(), 0o644, now);
        }
        for mount in &container.mounts {
            let path = &mount.mount().path;
            if tree.get(&path_names(path)).is_err() {
                let _ = tree.make_dir_all(path, now);
            }
        }
        if let Some(directory) = &container.config.working_dir {
            let _ = tree.make_dir_all(directory, now);
        }
        container.root.adopt(tree);
    }
}

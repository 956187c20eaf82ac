//! The cluster's storage system: one CSI driver with network disks that any node can use, as upstream's
//! `external-provisioner` beside a vendor's driver.
//!
//! [`Provisioner`] makes a disk and its PersistentVolume for each claim whose class names [`DRIVER`], and deletes both
//! when the volume is released under the policy `Delete`. Making and deleting take seconds; attaching and mounting are
//! the kubelet's.

mod operation;
mod provisioner;

pub use provisioner::Provisioner;

/// The name of the driver, as in `StorageClass.provisioner` and `spec.csi.driver`.
pub const DRIVER: &str = "sim.csi.tabernetes.dev";

//! What outlives a container, a Pod, a node.

use expect_test::expect;

use crate::scene::Scene;

const CLAIM: &str = "
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk-1 }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  csi: { driver: disk.example.com, volumeHandle: h1 }
  claimRef: { namespace: default, name: data }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: default }
spec: { accessModes: [ReadWriteOnce], volumeName: disk-1, resources: { requests: { storage: 1Gi } } }
";

#[test]
fn a_disk_keeps_what_an_empty_dir_loses() {
    let mut scene = Scene::new();
    scene.apply(CLAIM);
    let spec = "
volumes:
- { name: data, persistentVolumeClaim: { claimName: data } }
- { name: tmp, emptyDir: {} }
";
    let container = "
image: busybox:1.36
command: [sleep, '1000']
volumeMounts: [{ name: data, mountPath: /data }, { name: tmp, mountPath: /cache }]
";
    scene.pod_with(spec, container);
    scene.run(3);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.300 ! FailedMount: Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/data: PVC is not bound
    "#]].assert_eq(&scene.diary());
    bind(&mut scene);
    scene.run(30);
    scene.exec("web", "echo kept > /data/a; echo lost > /cache/a");
    scene.delete("web");
    scene.run(60);
    assert_eq!(scene.disks.keys().collect::<Vec<_>>(), ["disk-1"], "the disk has left the node");
    scene.pod_with(spec, container);
    scene.run(30);
    expect![[r#"
        kept
        cat: can't open '/cache/a': No such file or directory
    "#]]
    .assert_eq(&scene.exec("web", "cat /data/a; cat /cache/a"));
}

fn bind(scene: &mut Scene) {
    let mut client = scene.local.client();
    let claim = client.get::<api::types::PersistentVolumeClaim>("default", "data").expect("the claim exists");
    let mut claim = (*claim).clone();
    claim.status.get_or_insert_default().phase = Some("Bound".into());
    client.update_status(claim).expect("the claim is as it was");
}

#[test]
fn a_config_map_in_a_volume_is_kept_up_to_date() {
    let mut scene = Scene::new();
    scene.pod_with(
        "volumes: [{ name: cfg, configMap: { name: cfg } }]",
        "image: busybox:1.36\ncommand: [sleep, '1000']\nvolumeMounts: [{ name: cfg, mountPath: /cfg }]",
    );
    scene.run(4);
    scene.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cfg, namespace: default }\ndata: { a: one }");
    scene.run(20);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.300 ! FailedMount: MountVolume.SetUp failed for volume "cfg" : configmap "cfg" not found
        +0.900 ! FailedMount (x2): MountVolume.SetUp failed for volume "cfg" : configmap "cfg" not found
        +2.100 ! FailedMount (x3): MountVolume.SetUp failed for volume "cfg" : configmap "cfg" not found
        +4.450   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +4.450   web = Pending sandbox [web ContainerCreating]
        +5.307   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +5.337   Created spec.containers{web}: Container created
        +5.387   Started spec.containers{web}: Container started
        +5.742   web = Running sandbox ready [web running ready]
    "#]].assert_eq(&scene.diary());
    assert_eq!(scene.exec("web", "cat /cfg/a"), "one");
    let mut client = scene.local.client();
    let patch = api::PatchKind::Merge;
    let data = serde_json::json!({ "data": { "a": "two" } });
    client.patch::<api::types::ConfigMap>("default", "cfg", patch, data).expect("the map exists");
    assert_eq!(scene.exec("web", "cat /cfg/a"), "one", "not at once");
    scene.run(95);
    assert_eq!(scene.exec("web", "cat /cfg/a"), "two");
}

//! The node itself.

use api::types::{Lease, Node};
use expect_test::expect;
use kubelet::NodeConfig;

use crate::scene::Scene;

#[test]
fn a_node_registers_and_becomes_ready_with_its_network() {
    let mut scene = Scene::with(NodeConfig::default());
    scene.run(3);
    expect![[r#"
        +0.000   Starting: Starting kubelet.
        +0.000   NodeHasSufficientMemory: Node node-1 status is now: NodeHasSufficientMemory
        +0.000   NodeHasNoDiskPressure: Node node-1 status is now: NodeHasNoDiskPressure
        +0.000   NodeHasSufficientPID: Node node-1 status is now: NodeHasSufficientPID
        +0.000   NodeAllocatableEnforced: Updated Node Allocatable limit across pods
    "#]]
    .assert_eq(&scene.diary());
    expect![[r#"
        MemoryPressure=False KubeletHasSufficientMemory: kubelet has sufficient memory available
        DiskPressure=False KubeletHasNoDiskPressure: kubelet has no disk pressure
        PIDPressure=False KubeletHasSufficientPID: kubelet has sufficient PID available
        Ready=False KubeletNotReady: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized
    "#]].assert_eq(&ready(&mut scene));
    let mut client = scene.local.client();
    let mut node = (*client.get::<Node>("", "node-1").expect("it has registered")).clone();
    node.spec.get_or_insert_default().pod_cidr = Some("10.244.3.0/24".into());
    client.update(node).expect("the node is as it was");
    scene.run(1);
    expect![[r#"
        +3.000   NodeReady: Node node-1 status is now: NodeReady
    "#]]
    .assert_eq(&scene.diary());
    expect![[r#"
        MemoryPressure=False KubeletHasSufficientMemory: kubelet has sufficient memory available
        DiskPressure=False KubeletHasNoDiskPressure: kubelet has no disk pressure
        PIDPressure=False KubeletHasSufficientPID: kubelet has sufficient PID available
        Ready=True KubeletReady: kubelet is posting ready status
    "#]]
    .assert_eq(&ready(&mut scene));
    let before = scene.local.server.revision();
    scene.run(100);
    let writes = scene.local.server.revision() - before;
    assert_eq!(writes, 10, "only the Lease is written while nothing changes");
    let lease = scene.local.client().get::<Lease>("kube-node-lease", "node-1").expect("it has been made");
    assert_eq!(lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()), Some("node-1"));
}

fn ready(scene: &mut Scene) -> String {
    let node = scene.local.client().get::<Node>("", "node-1").expect("it has registered");
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions
        .map(|condition| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!(
                "{}={} {}: {}\n",
                condition.type_,
                condition.status,
                text(&condition.reason),
                text(&condition.message)
            )
        })
        .collect()
}

#[test]
fn power_fails_and_comes_back() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27");
    scene.run(10);
    scene.begin();
    scene.kubelet.power_off(scene.local.now);
    scene.run(20);
    scene.kubelet.power_on(scene.local.now);
    scene.run(20);
    expect![[r#"
        +20.000   Starting (x2): Starting kubelet.
        +20.000 ! Rebooted: Node node-1 has been rebooted, boot id: 2dd82402-1030-4402-8030-51e010302402
        +20.000   NodeHasSufficientMemory (x2): Node node-1 status is now: NodeHasSufficientMemory
        +20.000   NodeHasNoDiskPressure (x2): Node node-1 status is now: NodeHasNoDiskPressure
        +20.000   NodeHasSufficientPID (x2): Node node-1 status is now: NodeHasSufficientPID
        +20.000   NodeAllocatableEnforced (x2): Updated Node Allocatable limit across pods
        +20.000   SandboxChanged: Pod sandbox changed, it will be killed and re-created.
        +20.000   web = Running [web Unknown:255]
        +20.250   Pulled spec.containers{web}: Container image "nginx:1.27" already present on machine and can be accessed by the pod
        +20.280   Created (x2) spec.containers{web}: Container created
        +20.330   Started (x2) spec.containers{web}: Container started
        +20.742   web = Running sandbox ready [web running ready restarts=1 last=Unknown:255]
    "#]].assert_eq(&scene.diary());
}

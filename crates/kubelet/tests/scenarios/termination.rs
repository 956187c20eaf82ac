//! How Pods end.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn pre_stop_then_sigterm_then_gone() {
    let mut scene = Scene::new();
    scene.pod(
        "
image: nginx:1.27
lifecycle: { preStop: { exec: { command: [sh, -c, 'sleep 4'] } } }
",
    );
    scene.run(10);
    scene.begin();
    scene.delete("web");
    scene.run(60);
    expect![[r#"
        +0.000   Killing spec.containers{web}: Stopping container web
        +0.000   web = Running terminating sandbox ready [web running ready]
        +4.090   web = Succeeded terminating [web Completed:0]
        +4.390   web = gone
    "#]]
    .assert_eq(&scene.diary());
}

#[test]
fn sigkill_after_the_grace_period() {
    let mut scene = Scene::new();
    scene.pod_with(
        "terminationGracePeriodSeconds: 7",
        "image: busybox:1.36\ncommand: [sh, -c, 'trap : TERM; while true; do sleep 1; done']",
    );
    scene.run(10);
    scene.begin();
    scene.delete("web");
    scene.run(60);
    expect![[r#"
        +0.000   Killing spec.containers{web}: Stopping container web
        +0.000   web = Running terminating sandbox ready [web running ready]
        +7.060   web = Failed terminating [web Error:137]
        +7.360   web = gone
    "#]]
    .assert_eq(&scene.diary());
}

#[test]
fn sidecars_end_last() {
    let mut scene = Scene::new();
    scene.pod_with(
        "
initContainers:
- { name: proxy, image: 'nginx:1.27', restartPolicy: Always }
",
        "image: nginx:1.27\nlifecycle: { preStop: { sleep: { seconds: 3 } } }",
    );
    scene.run(20);
    scene.begin();
    scene.delete("web");
    scene.run(60);
    expect![[r#"
        +0.000   Killing spec.initContainers{proxy}: Stopping container proxy
        +0.000   Killing spec.containers{web}: Stopping container web
        +0.000   web = Running terminating sandbox ready [proxy running ready] [web running ready]
        +3.120   web = Succeeded terminating [proxy Completed:0] [web Completed:0]
        +3.420   web = gone
    "#]]
    .assert_eq(&scene.diary());
}

#[test]
fn deleted_while_its_image_is_pulled() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27");
    scene.run(1);
    scene.delete("web");
    scene.run(30);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.000   web = Pending terminating sandbox [web ContainerCreating]
        +1.060   web = Pending terminating [web ContainerCreating]
        +1.360   web = gone
    "#]]
    .assert_eq(&scene.diary());
}

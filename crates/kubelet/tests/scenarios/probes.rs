//! Readiness, liveness and startup probes.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn readiness_follows_the_server() {
    let mut scene = Scene::new();
    scene.apply(
        "
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default, annotations: { sim.tabernetes.dev/ready-after: 12s } }
spec:
  nodeName: node-1
  containers:
  - name: web
    image: nginx:1.27
    readinessProbe: { httpGet: { path: /, port: 80 }, periodSeconds: 5 }
",
    );
    scene.run(40);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +3.270   Pulled spec.containers{web}: Successfully pulled image "nginx:1.27" in 2.72s (2.72s including waiting). Image size: 72000000 bytes.
        +3.300   Created spec.containers{web}: Container created
        +3.350   Started spec.containers{web}: Container started
        +3.742   web = Running sandbox [web running]
        +3.742 ! Unhealthy spec.containers{web}: Readiness probe failed: HTTP probe failed with statuscode: 503
        +5.000 ! Unhealthy (x2) spec.containers{web}: Readiness probe failed: HTTP probe failed with statuscode: 503
        +10.000 ! Unhealthy (x3) spec.containers{web}: Readiness probe failed: HTTP probe failed with statuscode: 503
        +15.000 ! Unhealthy (x4) spec.containers{web}: Readiness probe failed: HTTP probe failed with statuscode: 503
        +20.000   web = Running sandbox ready [web running ready]
    "#]].assert_eq(&scene.diary());
    expect!["[true, true, true, true]"].assert_eq(&format!("{:?}", scene.kubelet.probe_results("default/web")));
}

#[test]
fn nothing_listens_on_the_port() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nreadinessProbe: { tcpSocket: { port: 8080 } }\nlivenessProbe: { httpGet: { port: 9, path: / }, periodSeconds: 3 }");
    scene.run(20);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +3.270   Pulled spec.containers{web}: Successfully pulled image "nginx:1.27" in 2.72s (2.72s including waiting). Image size: 72000000 bytes.
        +3.300   Created spec.containers{web}: Container created
        +3.350   Started spec.containers{web}: Container started
        +3.742 ! Unhealthy spec.containers{web}: Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused
        +3.742   web = Running sandbox [web running]
        +6.000 ! Unhealthy spec.containers{web}: Liveness probe failed: Get "http://10.244.1.2:9/": dial tcp 10.244.1.2:9: connect: connection refused
        +9.000 ! Unhealthy (x2) spec.containers{web}: Liveness probe failed: Get "http://10.244.1.2:9/": dial tcp 10.244.1.2:9: connect: connection refused
        +10.000 ! Unhealthy (x2) spec.containers{web}: Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused
        +12.000 ! Unhealthy (x3) spec.containers{web}: Liveness probe failed: Get "http://10.244.1.2:9/": dial tcp 10.244.1.2:9: connect: connection refused
        +12.000   Killing spec.containers{web}: Container web failed liveness probe, will be restarted
        +12.000 ! Unhealthy (x3) spec.containers{web}: Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused
        +12.030   Pulled spec.containers{web}: Container image "nginx:1.27" already present on machine and can be accessed by the pod
        +12.060   Created (x2) spec.containers{web}: Container created
        +12.110   Started (x2) spec.containers{web}: Container started
        +12.742 ! Unhealthy (x4) spec.containers{web}: Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused
        +12.742   web = Running sandbox [web running restarts=1 last=Completed:0]
        +15.000 ! Unhealthy (x4) spec.containers{web}: Liveness probe failed: Get "http://10.244.1.2:9/": dial tcp 10.244.1.2:9: connect: connection refused
        +18.000 ! Unhealthy (x5) spec.containers{web}: Liveness probe failed: Get "http://10.244.1.2:9/": dial tcp 10.244.1.2:9: connect: connection refused
        +20.000 ! Unhealthy (x5) spec.containers{web}: Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_file_keeps_the_container_alive() {
    let mut scene = Scene::new();
    scene.pod(
        "
image: busybox:1.36
command: [sh, -c, 'touch /tmp/healthy; sleep 15; rm /tmp/healthy; sleep 600']
livenessProbe: { exec: { command: [cat, /tmp/healthy] }, initialDelaySeconds: 5, periodSeconds: 5, failureThreshold: 2 }
",
    );
    scene.run(75);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.containers{web}: Container created
        +1.487   Started spec.containers{web}: Container started
        +1.742   web = Running sandbox ready [web running ready]
        +20.000 ! Unhealthy spec.containers{web}: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

        +25.000 ! Unhealthy (x2) spec.containers{web}: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

        +25.000   Killing spec.containers{web}: Container web failed liveness probe, will be restarted
        +55.000   Pulled spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +55.030   Created (x2) spec.containers{web}: Container created
        +55.080   Started (x2) spec.containers{web}: Container started
        +55.742   web = Running sandbox ready [web running ready restarts=1 last=Error:137]
        +75.000 ! Unhealthy (x3) spec.containers{web}: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_slow_start_is_waited_for() {
    let mut scene = Scene::new();
    scene.pod(
        "
image: busybox:1.36
command: [sh, -c, 'sleep 12; touch /tmp/up; sleep 600']
startupProbe: { exec: { command: [cat, /tmp/up] }, periodSeconds: 5, failureThreshold: 10 }
readinessProbe: { exec: { command: ['true'] }, periodSeconds: 30 }
",
    );
    scene.run(30);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.containers{web}: Container created
        +1.487   Started spec.containers{web}: Container started
        +1.742   web = Running sandbox [web running]
        +5.000 ! Unhealthy spec.containers{web}: Startup probe failed: cat: can't open '/tmp/up': No such file or directory

        +10.000 ! Unhealthy (x2) spec.containers{web}: Startup probe failed: cat: can't open '/tmp/up': No such file or directory

        +15.000   web = Running sandbox ready [web running ready]
    "#]].assert_eq(&scene.diary());
}

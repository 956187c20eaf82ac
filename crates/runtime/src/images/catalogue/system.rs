use crate::images::spec::{Base, Behaviour, ImageSpec, Stop};

const COMPONENT: ImageSpec = ImageSpec {
    base: Base::Scratch,
    size_kb: 25_000,
    behaviour: Behaviour::Text { body: "ok", content_type: "text/plain" },
    ports_vary: true,
    startup_ms: 500,
    idle_cpu_milli: 3,
    memory_mb: 20,
    stop: Stop::After { ms: 20, code: 0 },
    ..ImageSpec::DEFAULT
};

pub const TABLE: &[ImageSpec] = &[
    ImageSpec {
        repositories: &[
            "registry.k8s.io/pause",
            "k8s.gcr.io/pause",
            "gcr.io/google_containers/pause",
            "gcr.io/google-containers/pause",
        ],
        tags: "latest|2.0|3.(0..10)[.(0..1)]|3.1",
        size_kb: 310,
        entrypoint: &["/pause"],
        programs: &["pause"],
        uid: 65_535,
        behaviour: Behaviour::Idle,
        startup_ms: 1,
        idle_cpu_milli: 0,
        memory_mb: 1,
        stop: Stop::After { ms: 1, code: 0 },
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "registry.k8s.io/e2e-test-images/agnhost",
            "k8s.gcr.io/e2e-test-images/agnhost",
            "registry.k8s.io/liveness",
            "k8s.gcr.io/liveness",
            "registry.k8s.io/serve_hostname",
            "registry.k8s.io/test-webserver",
            "registry.k8s.io/e2e-test-images/porter",
        ],
        tags: "latest|e2e|2.(0..60)|1.(0..9)|v1.4",
        size_kb: 50_000,
        base: Base::Alpine,
        entrypoint: &["/agnhost"],
        cmd: &["pause"],
        programs: &["agnhost", "server", "liveness"],
        tools: &["curl", "dig"],
        behaviour: Behaviour::Agnhost,
        startup_ms: 30,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "registry.k8s.io/goproxy",
            "registry.k8s.io/etcd",
            "gcr.io/etcd-development/etcd",
            "quay.io/coreos/etcd",
        ],
        entrypoint: &["/goproxy"],
        programs: &["goproxy", "etcd"],
        ports: &[8080, 2379, 2380],
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "registry.k8s.io/kube-apiserver",
            "registry.k8s.io/kube-controller-manager",
            "registry.k8s.io/kube-scheduler",
            "registry.k8s.io/kube-proxy",
        ],
        tags: "v1.(20..36).(0..30)",
        entrypoint: &["/go-runner"],
        programs: &["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "go-runner"],
        ports: &[6443, 10_257, 10_259, 10_256],
        idle_cpu_milli: 25,
        memory_mb: 60,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &["registry.k8s.io/coredns/coredns", "docker.io/coredns/coredns"],
        tags: "latest|[v]1.(6..14).(0..9)",
        entrypoint: &["/coredns"],
        programs: &["coredns"],
        ports: &[53, 8080, 8181, 9153],
        memory_mb: 18,
        stop: Stop::After { ms: 5_000, code: 0 },
        ..COMPONENT
    },
    ImageSpec {
        repositories: &["registry.k8s.io/ingress-nginx/controller", "k8s.gcr.io/ingress-nginx/controller"],
        tags: "v1.(0..15).(0..9)|v0.(40..51).(0..9)",
        size_kb: 105_000,
        base: Base::Alpine,
        entrypoint: &["/usr/bin/dumb-init", "--"],
        cmd: &["/nginx-ingress-controller"],
        uid: 101,
        user: "www-data",
        programs: &["nginx-ingress-controller", "nginx"],
        tools: &["curl"],
        ports: &[80, 443, 8443, 10_254],
        memory_mb: 90,
        startup_ms: 3_000,
        stop: Stop::After { ms: 10_000, code: 0 },
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "registry.k8s.io/metrics-server/metrics-server",
            "registry.k8s.io/kube-state-metrics/kube-state-metrics",
            "docker.io/kubernetesui/dashboard",
        ],
        entrypoint: &["/metrics-server"],
        programs: &["metrics-server", "kube-state-metrics", "dashboard"],
        ports: &[10_250, 8080, 8081, 8443],
        startup_ms: 2_000,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "docker.io/prom/prometheus",
            "quay.io/prometheus/prometheus",
            "docker.io/prom/node-exporter",
            "quay.io/prometheus/node-exporter",
            "docker.io/grafana/grafana",
            "docker.io/prom/alertmanager",
        ],
        base: Base::Busybox,
        size_kb: 110_000,
        entrypoint: &["/bin/prometheus"],
        programs: &["prometheus", "node_exporter", "grafana", "run.sh", "alertmanager"],
        ports: &[9090, 9100, 3000, 9093],
        uid: 65_534,
        user: "nobody",
        startup_ms: 1_500,
        memory_mb: 80,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "quay.io/fluentd_elasticsearch/fluentd",
            "docker.io/fluent/fluentd",
            "docker.io/fluent/fluent-bit",
            "gcr.io/google-containers/fluentd-elasticsearch",
            "k8s.gcr.io/fluentd-elasticsearch",
        ],
        base: Base::Debian,
        size_kb: 60_000,
        cmd: &["fluentd"],
        entrypoint: &["tini", "--"],
        programs: &["fluentd", "fluent-bit", "run.sh", "entrypoint.sh"],
        ports: &[24_224, 2020],
        behaviour: Behaviour::Idle,
        memory_mb: 60,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &[
            "docker.io/flannel/flannel",
            "ghcr.io/flannel-io/flannel",
            "docker.io/calico/node",
            "docker.io/calico/kube-controllers",
            "quay.io/calico/node",
            "quay.io/cilium/cilium",
            "docker.io/kindest/kindnetd",
            "docker.io/rancher/local-path-provisioner",
        ],
        base: Base::Alpine,
        entrypoint: &["/opt/bin/flanneld"],
        programs: &[
            "flanneld",
            "start_runit",
            "kube-controllers",
            "cilium-agent",
            "kindnetd",
            "local-path-provisioner",
        ],
        behaviour: Behaviour::Idle,
        ..COMPONENT
    },
    ImageSpec {
        repositories: &["docker.io/library/registry"],
        tags: "latest|(2..3)[.(0..8)[.(0..9)]]",
        base: Base::Alpine,
        entrypoint: &["/entrypoint.sh"],
        cmd: &["/etc/docker/registry/config.yml"],
        programs: &["registry", "entrypoint.sh"],
        ports: &[5000],
        ..COMPONENT
    },
    ImageSpec {
        repositories: &["docker.io/jenkins/jenkins", "docker.io/library/sonarqube", "docker.io/gitea/gitea"],
        base: Base::Debian,
        size_kb: 260_000,
        entrypoint: &["/usr/bin/tini", "--"],
        cmd: &["/usr/local/bin/jenkins.sh"],
        programs: &["jenkins.sh", "sonar", "gitea"],
        ports: &[8080, 50_000, 9000, 3000],
        startup_ms: 12_000,
        memory_mb: 450,
        stop: Stop::After { ms: 800, code: 143 },
        ..COMPONENT
    },
];

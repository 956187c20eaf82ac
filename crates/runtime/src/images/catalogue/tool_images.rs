use crate::images::spec::{Base, Behaviour, ImageSpec, Stop};

const SHELL: ImageSpec = ImageSpec { memory_mb: 1, wrappers: &[], ..ImageSpec::DEFAULT };

const LANGUAGE: ImageSpec = ImageSpec {
    base: Base::Debian,
    tools: &["curl", "wget", "ps"],
    behaviour: Behaviour::Interpreter { body: "Hello from {hostname}\n" },
    ports: &[8080],
    ports_vary: true,
    startup_ms: 400,
    memory_mb: 40,
    stop: Stop::After { ms: 100, code: 143 },
    ..ImageSpec::DEFAULT
};

pub const TABLE: &[ImageSpec] = &[
    ImageSpec {
        repositories: &[
            "docker.io/library/busybox",
            "registry.k8s.io/busybox",
            "k8s.gcr.io/busybox",
            "gcr.io/google-containers/busybox",
            "gcr.io/google_containers/busybox",
            "registry.k8s.io/e2e-test-images/busybox",
            "public.ecr.aws/docker/library/busybox",
            "quay.io/prometheus/busybox",
            "mirror.gcr.io/library/busybox",
        ],
        tags: "(latest|stable|unstable|1[.(21..37)[.(0..9)][-(1..4)]])[-(glibc|musl|uclibc)]|glibc|musl|uclibc|1.24",
        size_kb: 2_200,
        base: Base::Busybox,
        cmd: &["sh"],
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/alpine", "public.ecr.aws/docker/library/alpine", "docker.io/library/bash"],
        tags: "latest|edge|3[.(2..22)[.(0..12)]]|2.(6..7)|5[.(0..3)[.(0..40)]]",
        size_kb: 3_700,
        base: Base::Alpine,
        cmd: &["/bin/sh"],
        tools: &["apk"],
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/ubuntu"],
        tags: "latest|rolling|devel|(14..25).(04|10)|trusty|xenial|bionic|focal|jammy|noble|oracular|plucky|questing",
        size_kb: 29_700,
        cmd: &["/bin/bash"],
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/debian", "registry.k8s.io/debian-base"],
        tags: "(latest|stable|testing|unstable|(8..13)[.(0..13)]|buster|bullseye|bookworm|trixie|sid|jessie|stretch)[-slim]|stable-slim",
        size_kb: 48_500,
        cmd: &["bash"],
        ..SHELL
    },
    ImageSpec {
        repositories: &[
            "docker.io/library/centos",
            "docker.io/library/fedora",
            "docker.io/library/rockylinux",
            "docker.io/library/amazonlinux",
            "docker.io/library/almalinux",
            "docker.io/library/oraclelinux",
        ],
        size_kb: 75_000,
        cmd: &["/bin/bash"],
        tools: &["curl"],
        ..SHELL
    },
    ImageSpec {
        repositories: &[
            "docker.io/nicolaka/netshoot",
            "docker.io/wbitt/network-multitool",
            "docker.io/praqma/network-multitool",
            "docker.io/tutum/dnsutils",
            "registry.k8s.io/e2e-test-images/jessie-dnsutils",
            "registry.k8s.io/e2e-test-images/agnhost-dnsutils",
            "docker.io/giantswarm/tiny-tools",
        ],
        size_kb: 190_000,
        base: Base::Alpine,
        cmd: &["sleep", "infinity"],
        tools: &["curl", "dig", "redis-cli"],
        ..SHELL
    },
    ImageSpec {
        repositories: &[
            "docker.io/curlimages/curl",
            "docker.io/appropriate/curl",
            "quay.io/curl/curl",
            "docker.io/radial/busyboxplus",
            "docker.io/radialbusyboxplus/curl",
        ],
        tags: "latest|curl|(7..8).(0..88).(0..2)|alpine|multi",
        size_kb: 9_500,
        base: Base::Alpine,
        entrypoint: &["curl"],
        cmd: &["--help"],
        uid: 100,
        user: "curl_user",
        tools: &["curl"],
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/hello-world"],
        tags: "latest|linux|nanoserver",
        size_kb: 10,
        base: Base::Scratch,
        cmd: &["/hello"],
        programs: &["hello"],
        behaviour: Behaviour::OneShot {
            text: "\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n",
            code: 0,
        },
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/perl"],
        tags: "(latest|stable|5[.(18..42)[.(0..4)]])[-(slim|threaded|bookworm|slim-bookworm)]|slim",
        size_kb: 340_000,
        cmd: &["perl", "-de0"],
        ..SHELL
    },
    ImageSpec {
        repositories: &[
            "docker.io/polinux/stress",
            "docker.io/progrium/stress",
            "docker.io/vish/stress",
            "docker.io/polinux/stress-ng",
        ],
        size_kb: 4_000,
        base: Base::Alpine,
        cmd: &["stress"],
        programs: &["stress", "stress-ng"],
        behaviour: Behaviour::Stress,
        stop: Stop::After { ms: 10, code: 143 },
        ..SHELL
    },
    ImageSpec {
        repositories: &["docker.io/library/python"],
        tags: "(latest|slim|alpine|2[.7[.18]]|3[.(3..15)[.(0..24)]])[-(slim|alpine[3.(5..22)]|bookworm|bullseye|trixie|buster|slim-(bookworm|bullseye|trixie|buster))]",
        size_kb: 380_000,
        cmd: &["python3"],
        ports: &[8000],
        programs: &["python", "python3", "gunicorn", "flask", "uvicorn", "pip"],
        ..LANGUAGE
    },
    ImageSpec {
        repositories: &["docker.io/library/node"],
        tags: "(latest|lts|current|slim|alpine|(4..25)[.(0..25)[.(0..9)]])[-(slim|alpine[3.(5..22)]|bookworm[-slim]|bullseye[-slim]|trixie[-slim]|buster[-slim])]",
        size_kb: 390_000,
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["node"],
        ports: &[3000],
        programs: &["node", "npm", "yarn", "npx"],
        stop: Stop::Ignores,
        ..LANGUAGE
    },
    ImageSpec {
        repositories: &["docker.io/library/golang"],
        tags: "(latest|alpine|1[.(5..26)[.(0..20)]])[-(alpine[3.(5..22)]|bookworm|bullseye|trixie)]",
        size_kb: 300_000,
        cmd: &["bash"],
        working_dir: "/go",
        programs: &["go"],
        ..LANGUAGE
    },
    ImageSpec {
        repositories: &[
            "docker.io/library/openjdk",
            "docker.io/library/eclipse-temurin",
            "docker.io/library/amazoncorretto",
        ],
        size_kb: 230_000,
        cmd: &["jshell"],
        ports: &[8080],
        programs: &["java", "jshell"],
        startup_ms: 2_500,
        memory_mb: 180,
        ..LANGUAGE
    },
    ImageSpec {
        repositories: &["docker.io/library/php"],
        tags: "(latest|apache|fpm|cli|alpine|(5..8)[.(0..5)[.(0..40)]])[-(apache[-(bookworm|bullseye|trixie)]|fpm[-alpine]|cli[-alpine]|alpine|bookworm)]",
        size_kb: 180_000,
        entrypoint: &["docker-php-entrypoint"],
        cmd: &["apache2-foreground"],
        ports: &[80],
        working_dir: "/var/www/html",
        programs: &["apache2-foreground", "php", "php-fpm"],
        behaviour: Behaviour::Text { body: "Hello from {hostname}\n", content_type: "text/html" },
        startup_ms: 150,
        ..LANGUAGE
    },
    ImageSpec {
        repositories: &[
            "docker.io/library/ruby",
            "docker.io/library/rust",
            "docker.io/library/gcc",
            "docker.io/library/maven",
            "docker.io/library/gradle",
        ],
        size_kb: 380_000,
        cmd: &["bash"],
        programs: &["ruby", "irb", "cargo", "mvn", "gradle"],
        ..LANGUAGE
    },
];

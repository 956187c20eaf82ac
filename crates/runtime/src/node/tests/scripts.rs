use super::run_script;
use expect_test::{Expect, expect};

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&run_script("busybox:1.36", script, 100_000));
}

#[test]
fn words_and_quotes() {
    check(
        r#"a=1; b="x  y"; echo $a "$b" $b '$a' "\$a" \"q\"; echo ${b} ${c:-default} ${#b} "${c-}" end; echo a"b"'c'"#,
        expect![[r#"
            1 x  y x y $a $a "q"
            x y default 4  end
            abc
            [exit 0 after 0s]
        "#]],
    );
    check(
        r#"f=/var/log/app.tar.gz; echo ${f##*/} ${f%.*} ${f%%.*} ${f#/var} ${f/log/lib} ${f:1:3}; echo ${x:=set} $x ${x:+alt}"#,
        expect![[r#"
            app.tar.gz /var/log/app.tar /var/log/app /log/app.tar.gz /var/lib/app.tar.gz var
            set set alt
            [exit 0 after 0s]
        "#]],
    );
    check(
        r#"set -- a "b c" d; echo $# "$@"; for i in "$@"; do echo "<$i>"; done; shift; echo "$1" "$*""#,
        expect![[r#"
            3 a b c d
            <a>
            <b c>
            <d>
            b c b c d
            [exit 0 after 0s]
        "#]],
    );
}

#[test]
fn substitution_and_arithmetic() {
    check(
        r#"echo "$(echo inner; echo two)" `echo back`; x=$(echo $(echo deep)); echo $x; i=0; i=$((i+1)); echo $((i*3 % 2)) $((1<<4)) $((i==1?7:8))"#,
        expect![[r#"
            inner
            two back
            deep
            1 16 7
            [exit 0 after 0s]
        "#]],
    );
    check(
        r#"i=5; echo $((i++)) $((i)) $((++i)) $(( (1+2)*3 )) $((0x10)) $((-7/2)); echo $((1/0)); echo unreachable"#,
        expect![[r#"
            5 6 7 9 16 -3
            sh: divide by zero
            [exit 2 after 0s]
        "#]],
    );
}

#[test]
fn control_flow() {
    check(
        r#"
for i in 1 2 3 4; do
  if [ $i -eq 2 ]; then continue; elif [ $i = 4 ]; then break; else echo "i=$i"; fi
done
n=0
while [ $n -lt 3 ]; do n=$((n+1)); done; echo $n
until false; do echo once; break; done
case hello.txt in *.md) echo md;; *.txt|*.log) echo txt;; *) echo other;; esac
greet() { local who=$1; echo "hi $who"; return 3; }
greet bob; echo "status $?"
true && echo yes || echo no
false && echo yes || echo no
! true; echo $?
{ echo grouped; } && ( cd /tmp; pwd ); pwd"#,
        expect![[r#"
            i=1
            i=3
            3
            once
            txt
            hi bob
            status 3
            yes
            no
            1
            grouped
            /tmp
            /
            [exit 0 after 0s]
        "#]],
    );
}

#[test]
fn pipes_and_redirections() {
    check(
        r#"printf 'b\na\nc\na\n' | sort | uniq -c; seq 1 5 | tail -n 2; echo err >&2; echo both > /tmp/f 2>&1; cat /tmp/f; echo more >> /tmp/f; wc -l < /tmp/f; cat <<EOF
sum $((1+1))
EOF
cat <<'EOF' | grep -c x
x $y
xx
EOF
yes | head -n 2; ls /nope 2>/dev/null; echo $?; while read a b; do echo "$b $a"; done < /etc/passwd; echo "one two" | { read x y; echo $y; }"#,
        expect![[r#"
                  2 a
                  1 b
                  1 c
            4
            5
            err
            both
            2
            sum 2
            2
            y
            y
            1
             root:x:0:0:root:/root:/bin/sh
            two
            [exit 0 after 0s]
        "#]],
    );
}

#[test]
fn text_tools() {
    check(
        r#"echo "a:b:c" | cut -d: -f2; echo hello | tr a-z A-Z; echo "k=v1" | sed 's/\(.*\)=\(.*\)/\2-\1/'; printf '1\n2\n3\n' | sed -n 2p; printf 'a b\nc d\n' | awk '{print $2, NR}'; echo "10 20" | awk '{s+=$1} END {print s}'; echo foobar | grep -o 'o*b'; echo x | grep -q y || echo absent; echo hi | base64; echo aGkK | base64 -d; basename /a/b.txt .txt; dirname /a/b.txt; printf '%5d|%-5s|%05.1f\n' 42 ab 3.14159; seq -s, 1 4; echo abc | rev"#,
        expect![[r#"
            b
            HELLO
            v1-k
            2
            b 1
            d 2
            10
            oob
            absent
            aGkK
            hi
            b
            /a
               42|ab   |003.1
            1,2,3,4
            cba
            [exit 0 after 0s]
        "#]],
    );
}

#[test]
fn files() {
    check(
        r#"mkdir -p /data/a/b; echo hi > /data/a/f; ln -s /data/a/f /data/l; cat /data/l; cp -r /data/a /data/c; ls /data /data/c; mv /data/c/f /data/g; rm -r /data/c; ls /data; find /data -type f; rm /data/a; rmdir /data/a; cat /nope; touch /data/x && [ -f /data/x ] && echo touched; du -s /data/a; readlink /data/l; echo *.txt /data/*; cd /data && echo [a-g]; chmod 600 g; ls -l g | cut -c1-10; stat -c %s g"#,
        expect![[r#"
            hi
            /data:
            a
            c
            l

            /data/c:
            b
            f
            a
            g
            l
            /data/a/f
            /data/g
            rm: can't remove '/data/a': Is a directory
            rmdir: failed to remove '/data/a': Directory not empty
            cat: can't open '/nope': No such file or directory
            touched
            9	/data/a
            /data/a/f
            *.txt /data/a /data/g /data/l /data/x
            a g
            -rw-------
            3
            [exit 0 after 0s]
        "#]],
    );
}

#[test]
fn environment_and_errors() {
    check(
        r#"foo; echo $?; export A=1; sh -c 'echo $A $0 $1' name arg; env | grep -c ^A=; hostname; id; B=2 env | grep B=; exit 7"#,
        expect![[r#"
            sh: foo: not found
            127
            1 name arg
            1
            web
            uid=0(root) gid=0(root) groups=0(root)
            B=2
            [exit 7 after 0s]
        "#]],
    );
    check(
        "set -e; echo a; false; echo b",
        expect![[r#"
        a
        [exit 1 after 0s]
    "#]],
    );
    check(
        "set -e; if false; then :; fi; false || true; x=$(false) || echo caught; echo end",
        expect![[r#"
        caught
        end
        [exit 0 after 0s]
    "#]],
    );
    check(
        "echo a; if then",
        expect![[r#"
            sh: line 1: syntax error: unexpected "then"
            [exit 2 after 0s]
        "#]],
    );
    check(
        "set -u; echo $nope; echo b",
        expect![[r#"
        sh: nope: parameter not set
        [exit 2 after 0s]
    "#]],
    );
    check(
        "echo ${must:?is needed}; echo b",
        expect![[r#"
        sh: must: is needed
        [exit 2 after 0s]
    "#]],
    );
    check(
        "set -x; a=1; echo $a",
        expect![[r#"
        + echo 1
        1
        [exit 0 after 0s]
    "#]],
    );
}

#[test]
fn time_passes() {
    check(
        "sleep 5; echo done",
        expect![[r#"
        done
        [exit 0 after 5s]
    "#]],
    );
    check(
        "for i in 1 2 3; do date +%H:%M:%S; sleep 1m; done",
        expect![[r#"
        00:00:00
        00:01:00
        00:02:00
        [exit 0 after 180s]
    "#]],
    );
    check(
        "sleep 2 & sleep 1; echo first; wait; echo second; sleep 30 & kill $!; wait $!; echo $?",
        expect![[r#"
        first
        second
        143
        [exit 0 after 2s]
    "#]],
    );
    check(
        "timeout=3; while [ $timeout -gt 0 ]; do sleep 1; timeout=$((timeout-1)); done; exit $timeout",
        expect![[r#"
            [exit 0 after 3s]
        "#]],
    );
}

#[test]
fn endless_work_is_bounded() {
    let spin = run_script("busybox", "while true; do :; done", 20);
    expect![[r#"
        [running]
    "#]]
    .assert_eq(&spin);
    let bomb = run_script("busybox", ":(){ :|:& };:", 20);
    expect!["[exit 0 after 0s]"].assert_eq(bomb.lines().last().unwrap_or_default());
    let deep = run_script("busybox", "f() { f; }; f", 20);
    expect![[r#"
        sh: maximum function nesting level exceeded
        [exit 2 after 0s]
    "#]]
    .assert_eq(&deep);
}

#[test]
fn network_tools() {
    check(
        r#"wget -qO- http://web-svc; wget -qO- http://web-svc/x; wget -qO- http://nowhere; nslookup web-svc; nslookup nope; ping -c 2 10.244.2.2; nc -zv web-svc 80; nc -z web-svc 81 || echo closed; until nslookup web-svc > /dev/null; do sleep 2; done; echo up"#,
        expect![[r#"
            hello from the service
            wget: server returned error: HTTP/1.1 404 Not Found
            wget: bad address 'nowhere'
            Server:		10.96.0.10
            Address:	10.96.0.10:53

            Name:	web-svc.default.svc.cluster.local
            Address: 10.96.1.1

            Server:		10.96.0.10
            Address:	10.96.0.10:53

            ** server can't find nope: NXDOMAIN

            PING 10.244.2.2 (10.244.2.2): 56 data bytes
            64 bytes from 10.244.2.2: seq=0 ttl=64 time=1.000 ms
            64 bytes from 10.244.2.2: seq=1 ttl=64 time=1.000 ms

            --- 10.244.2.2 ping statistics ---
            2 packets transmitted, 2 packets received, 0% packet loss
            web-svc (10.96.1.1:80) open
            nc: web-svc (10.96.1.1:81): Connection refused
            closed
            up
            [exit 0 after 1s]
        "#]],
    );
    expect![[r#"
        hello from the service
        404
        curl: (6) Could not resolve host: nowhere
        22
        [exit 0 after 0s]
    "#]].assert_eq(&run_script(
        "curlimages/curl",
        r#"curl -s http://web-svc; curl -s -o /dev/null -w "%{http_code}\n" http://web-svc/x; curl http://nowhere; curl -sf http://web-svc/x; echo $?"#,
        100,
    ));
}

#[test]
fn pi() {
    expect![[r#"
        3.1415926535897932384626433832795028841971693993751
        [exit 0 after 0s]
    "#]]
    .assert_eq(&run_script("perl:5.34.0", "perl -Mbignum=bpi -wle 'print bpi(50)'", 100));
}

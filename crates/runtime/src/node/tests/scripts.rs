use super::run_script;
use expect_test::{Expect, expect};

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&run_script("busybox:1.36", script, 100_000));
}

#[test]
fn words_and_quotes() {
    check(
        r#"a=1; b="x  y"; echo $a "$b" $b '$a' "\$a" \"q\"; echo ${b} ${c:-default} ${#b} "${c-}" end; echo a"b"'c'"#,
        expect![[r#""#]],
    );
    check(
        r#"f=/var/log/app.tar.gz; echo ${f##*/} ${f%.*} ${f%%.*} ${f#/var} ${f/log/lib} ${f:1:3}; echo ${x:=set} $x ${x:+alt}"#,
        expect![[r#""#]],
    );
    check(
        r#"set -- a "b c" d; echo $# "$@"; for i in "$@"; do echo "<$i>"; done; shift; echo "$1" "$*""#,
        expect![[r#""#]],
    );
}

#[test]
fn substitution_and_arithmetic() {
    check(
        r#"echo "$(echo inner; echo two)" `echo back`; x=$(echo $(echo deep)); echo $x; i=0; i=$((i+1)); echo $((i*3 % 2)) $((1<<4)) $((i==1?7:8)) $((2**1 ))"#,
        expect![[r#""#]],
    );
    check(
        r#"i=5; echo $((i++)) $((i)) $((++i)) $(( (1+2)*3 )) $((0x10)) $((-7/2)); echo $((1/0)); echo unreachable"#,
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
    );
}

#[test]
fn text_tools() {
    check(
        r#"echo "a:b:c" | cut -d: -f2; echo hello | tr a-z A-Z; echo "k=v1" | sed 's/\(.*\)=\(.*\)/\2-\1/'; printf '1\n2\n3\n' | sed -n 2p; printf 'a b\nc d\n' | awk '{print $2, NR}'; echo "10 20" | awk '{s+=$1} END {print s}'; echo foobar | grep -o 'o*b'; echo x | grep -q y || echo absent; echo hi | base64; echo aGkK | base64 -d; basename /a/b.txt .txt; dirname /a/b.txt; printf '%5d|%-5s|%05.1f\n' 42 ab 3.14159; seq -s, 1 4; echo abc | rev"#,
        expect![[r#""#]],
    );
}

#[test]
fn files() {
    check(
        r#"mkdir -p /data/a/b; echo hi > /data/a/f; ln -s /data/a/f /data/l; cat /data/l; cp -r /data/a /data/c; ls /data /data/c; mv /data/c/f /data/g; rm -r /data/c; ls /data; find /data -type f; rm /data/a; rmdir /data/a; cat /nope; touch /data/x && [ -f /data/x ] && echo touched; du -s /data/a; readlink /data/l; echo *.txt /data/*; cd /data && echo [a-g]; chmod 600 g; ls -l g | cut -c1-10; stat -c %s g"#,
        expect![[r#""#]],
    );
}

#[test]
fn environment_and_errors() {
    check(
        r#"foo; echo $?; export A=1; sh -c 'echo $A $0 $1' name arg; env | grep -c ^A=; hostname; id; B=2 env | grep B=; exit 7"#,
        expect![[r#""#]],
    );
    check("set -e; echo a; false; echo b", expect![[r#""#]]);
    check("set -e; if false; then :; fi; false || true; x=$(false) || echo caught; echo end", expect![[r#""#]]);
    check("echo a; if then", expect![[r#""#]]);
    check("set -u; echo $nope; echo b", expect![[r#""#]]);
    check("echo ${must:?is needed}; echo b", expect![[r#""#]]);
    check("set -x; a=1; echo $a", expect![[r#""#]]);
}

#[test]
fn time_passes() {
    check("sleep 5; echo done", expect![[r#""#]]);
    check("for i in 1 2 3; do date +%H:%M:%S; sleep 1m; done", expect![[r#""#]]);
    check("sleep 2 & sleep 1; echo first; wait; echo second; sleep 30 & kill $!; wait $!; echo $?", expect![[r#""#]]);
    check(
        "timeout=3; while [ $timeout -gt 0 ]; do sleep 1; timeout=$((timeout-1)); done; exit $timeout",
        expect![[r#""#]],
    );
}

#[test]
fn endless_work_is_bounded() {
    let spin = run_script("busybox", "while true; do :; done", 20);
    expect![[r#""#]].assert_eq(&spin);
    let bomb = run_script("busybox", ":(){ :|:& };:", 20);
    expect![[r#""#]].assert_eq(bomb.lines().last().unwrap_or_default());
    let deep = run_script("busybox", "f() { f; }; f", 20);
    expect![[r#""#]].assert_eq(&deep);
}

#[test]
fn network_tools() {
    check(
        r#"wget -qO- http://web-svc; wget -qO- http://web-svc/x; wget -qO- http://nowhere; nslookup web-svc; nslookup nope; ping -c 2 10.244.2.2; nc -zv web-svc 80; nc -z web-svc 81 || echo closed; until nslookup web-svc > /dev/null; do sleep 2; done; echo up"#,
        expect![[r#""#]],
    );
    expect![[r#""#]].assert_eq(&run_script(
        "curlimages/curl",
        r#"curl -s http://web-svc; curl -s -o /dev/null -w "%{http_code}\n" http://web-svc/x; curl http://nowhere; curl -sf http://web-svc/x; echo $?"#,
        100,
    ));
}

#[test]
fn pi() {
    expect![[r#""#]].assert_eq(&run_script("perl:5.34.0", "perl -Mbignum=bpi -wle 'print bpi(50)'", 100));
}

use crate::{Compare, Error, Etcd, Op};

fn put(etcd: &mut Etcd<i32>, key: &str, value: i32) -> u64 {
    etcd.txn(&[], vec![Op::Put { key, value, lease: None }]).expect("nothing to compare")
}

#[test]
fn a_write_is_a_revision_and_old_versions_stay() {
    let mut etcd = Etcd::default();
    let first = put(&mut etcd, "a", 1);
    let second = put(&mut etcd, "a", 2);
    put(&mut etcd, "b", 3);
    assert_eq!(etcd.get("a"), Some((&2, second)));
    assert_eq!(etcd.get_at("a", first).unwrap().unwrap().value, 1);
    assert_eq!(etcd.range("", "").count(), 2);
    assert_eq!(etcd.range_at("", "", first).unwrap().collect::<Vec<_>>(), [("a", &1)]);
    assert_eq!(etcd.get_at("a", 99), Err(Error::Future));
}

#[test]
fn ranges_begin_and_end_where_they_say() {
    let mut etcd = Etcd::default();
    let keys = ["/a", "/a/", "/a/1", "/a/2", "/a/é", "/a/\u{d7ff}1", "/a0", "/b/1"];
    for key in keys {
        put(&mut etcd, key, 0);
    }
    let names = |prefix, from| etcd.range(prefix, from).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names("/a/", ""), ["/a/", "/a/1", "/a/2", "/a/é", "/a/\u{d7ff}1"]);
    assert_eq!(names("/a/", "/a/1\0"), ["/a/2", "/a/é", "/a/\u{d7ff}1"]);
    assert_eq!(names("/a/\u{d7ff}", ""), ["/a/\u{d7ff}1"]);
    assert!(names("/a/", "/b/").is_empty() && names("/c/", "").is_empty());
    assert_eq!(names("", "").len(), keys.len());
    assert_eq!(etcd.range_at("/a/", "", 4).unwrap().count(), 2);
}

#[test]
fn transactions_compare_before_they_write() {
    let mut etcd = Etcd::default();
    let first = put(&mut etcd, "a", 1);
    let stale = [Compare::ModRevision("a", first - 1)];
    assert_eq!(etcd.txn(&stale, vec![Op::Delete { key: "a" }]), None);
    let absent = [Compare::ModRevision("b", 0)];
    assert!(etcd.txn(&absent, vec![Op::Put { key: "b", value: 2, lease: None }]).is_some());
    assert!(etcd.txn(&absent, vec![Op::Put { key: "b", value: 3, lease: None }]).is_none());
    assert_eq!(etcd.get("b").map(|(value, _)| *value), Some(2));
}

#[test]
fn watches_replay_from_a_revision_until_it_is_compacted() {
    let mut etcd = Etcd::default();
    let first = put(&mut etcd, "a", 1);
    put(&mut etcd, "a", 2);
    etcd.txn(&[], vec![Op::Delete { key: "a" }]);
    let seen: Vec<_> = etcd.changes_since(first).unwrap().map(|change| (change.value, change.previous)).collect();
    assert_eq!(seen, [(Some(2), Some(1)), (None, Some(2))]);

    etcd.compact(etcd.revision());
    assert!(etcd.changes_since(first).is_err());
    assert_eq!(etcd.changes_since(etcd.revision()).unwrap().count(), 0);
    assert_eq!(etcd.get_at("a", first), Err(Error::Compacted));
    assert!(etcd.is_empty());
}

#[test]
fn compaction_keeps_what_is_still_current() {
    let mut etcd = Etcd::default();
    put(&mut etcd, "a", 1);
    put(&mut etcd, "b", 2);
    let middle = put(&mut etcd, "a", 3);
    put(&mut etcd, "a", 4);
    etcd.compact(middle);
    assert_eq!(etcd.get_at("a", middle).unwrap().unwrap().value, 3);
    assert_eq!(etcd.get_at("b", middle).unwrap().unwrap().value, 2);
    assert_eq!(etcd.get("a").map(|(value, _)| *value), Some(4));
}

#[test]
fn a_lease_takes_its_keys_along() {
    let mut etcd = Etcd::default();
    let lease = etcd.grant(0, 10);
    etcd.txn(&[], vec![Op::Put { key: "a", value: 1, lease: Some(lease) }]);
    put(&mut etcd, "b", 2);
    etcd.keep_alive(5, lease).unwrap();
    assert_eq!(etcd.next_expiry(), Some(15));
    assert_eq!(etcd.expire(14), None);
    assert!(etcd.expire(15).is_some());
    assert_eq!(etcd.get("a"), None);
    assert!(etcd.get("b").is_some());
    assert_eq!(etcd.keep_alive(16, lease), Err(Error::LeaseNotFound));
}

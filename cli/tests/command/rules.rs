//! Counting rules of the owner: added, used, listed, removed.

use crate::scene::Scene;

#[test]
fn a_rule_is_kept_used_and_forgotten() {
    let scene = Scene::with_logs();
    let add = |name: &str, collapse: &str| {
        scene.run(&[
            "rule",
            "add",
            name,
            "--methods",
            "GET,HEAD",
            "--status",
            "<400",
            "--collapse",
            collapse,
        ])
    };
    let ran = add("daily-2", "clock 2d");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err
            .contains("rule daily-2: GET, HEAD, status <400; clock 172800s"),
        "{}",
        ran.err
    );
    let by_rule = ["query", "downloads rule daily-2"];
    assert_eq!(scene.run(&by_rule).out, "downloads\n4\n");
    assert_eq!(scene.run(&["totals", "--rule", "daily-2"]).code, 0);
    let list = scene.run(&["rule", "list"]).out;
    assert!(
        list.ends_with("\ndaily-2\tGET,HEAD\t<400\tclock 172800s\tfalse\n"),
        "{list}"
    );
    assert!(
        list.contains("\ncounter\tall\t200,304\tgap 30s\ttrue\n"),
        "{list}"
    );
    let before = scene.stored();
    assert_eq!(add("daily-2", "day").code, 2);
    assert_eq!(add("5min", "day").code, 2);
    assert_eq!(add("weekly", "week").code, 2);
    assert_eq!(scene.run(&["rule", "remove", "weekly"]).code, 1);
    assert_eq!(scene.stored(), before);
    assert_eq!(scene.run(&["rule", "remove", "daily-2"]).code, 0);
    assert_eq!(scene.run(&by_rule).code, 2);
    assert_eq!(scene.run(&["verify"]).code, 0);
}

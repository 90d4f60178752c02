//! Sketches: written by one store, merged without any.

use crate::scene::Scene;

#[test]
fn stores_are_counted_together() {
    let scene = Scene::with_logs();
    let export = |words: &[&str]| scene.run(&[&["sketch", "export"], words].concat());
    let ran = export(&["--where", "country = DE", "-o", "de.sketch"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err
            .contains("sketch of about 1 downloaders, give or take 0.8 %"),
        "{}",
        ran.err
    );
    assert_eq!(
        export(&["users where country = US", "-o", "us.sketch"]).code,
        0
    );
    assert_eq!(export(&["-o", "all.sketch"]).code, 0);
    // No store is needed to merge.
    let merge = [
        "--store",
        "none",
        "sketch",
        "merge",
        "de.sketch",
        "us.sketch",
    ];
    let ran = scene.run(&[&merge[..], &["-o", "both.sketch"]].concat());
    assert_eq!(ran.out, "downloaders\tsketches\n2\t2\n");
    let json = scene.run(&["sketch", "merge", "both.sketch", "all.sketch", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["rows"][0][0], 2);
    assert_eq!(value["meta"]["exact"], false);
    let notes = [
        "of: downloaders",
        "of: downloaders where country = DE",
        "of: users where country = US",
    ];
    assert_eq!(value["meta"]["notes"], serde_json::json!(notes));
    assert_eq!(export(&["downloads", "-o", "x.sketch"]).code, 2);
    assert_eq!(export(&[]).code, 2);
    scene.file("bad.sketch", "FTFL");
    assert_eq!(scene.run(&["sketch", "merge", "bad.sketch"]).code, 5);
    assert_eq!(scene.run(&["sketch", "merge", "none.sketch"]).code, 1);
}

//! Every kind of bad input: its message, its exit code, and a store that stays as it was.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use footfall_engine::catalog::{Catalog, Manifest};
use footfall_engine::storage::RealFileSystem;

use crate::scene::{HEADER, Ran, Scene, finish, footfall, good_day};

/// Takes a file into a store with logs; the store must stay as it was.
fn refused(name: &str, bytes: impl AsRef<[u8]>) -> Ran {
    let scene = Scene::with_logs();
    scene.file(name, bytes);
    unchanged(&scene, &["ingest", name])
}

fn unchanged(scene: &Scene, words: &[&str]) -> Ran {
    let before = scene.stored();
    let ran = scene.run(words);
    assert_eq!(
        scene.stored().keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>(),
        "{ran:?}"
    );
    assert!(scene.stored() == before, "{ran:?}");
    ran
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
}

#[test]
fn a_path_that_does_not_exist() {
    let ran = unchanged(&Scene::with_logs(), &["ingest", "nowhere.csv"]);
    assert_eq!(ran.code, 1);
    has(
        &ran.err,
        &[
            "error: nowhere.csv: no such file or directory",
            "help: check the path",
        ],
    );
    let scene = Scene::new();
    assert_eq!(scene.run(&["ingest", "nowhere.csv"]).code, 1);
    assert!(!scene.path("footfall-store").exists());
}

#[test]
fn a_header_without_a_required_column() {
    let ran = refused("odd.csv", good_day(3).replacen("timestamp", "when", 1));
    assert_eq!(ran.code, 1);
    has(
        &ran.out,
        &[
            "refused odd.csv",
            "timestamp is missing",
            "--map",
            "=timestamp",
            "files: 0 taken, 1 refused",
        ],
    );
    let ran = refused("odd.csv", good_day(3).replacen("repoName", "repo_name", 1));
    has(&ran.out, &["--map repo_name=repoName"]);
}

#[test]
fn a_renamed_column_is_read_with_map() {
    let scene = Scene::with_logs();
    scene.file("odd.csv", good_day(3).replacen("repoName", "repo_name", 1));
    let ran = scene.run(&["ingest", "odd.csv", "--map", "repo_name=repoName"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n9\n");
    assert_eq!(
        scene
            .run(&["ingest", "odd.csv", "--map", "repo_name=nonsense"])
            .code,
        2
    );
}

#[test]
fn a_timestamp_without_zone() {
    let ran = refused("z.csv", good_day(3).replace(".000Z", ""));
    assert_eq!(ran.code, 1);
    has(
        &ran.out,
        &["refused z.csv", "timestamp has no zone", "line 2"],
    );
}

#[test]
fn a_status_that_is_no_number() {
    let ran = refused("s.csv", good_day(3).replace(",200,", ",abc,"));
    assert_eq!(ran.code, 1);
    has(
        &ran.out,
        &["refused s.csv", "status is not a number from 0 to 999: abc"],
    );
}

#[test]
fn one_bad_line_among_good_ones() {
    let scene = Scene::with_logs();
    scene.file("s.csv", good_day(3).replacen(",200,", ",abc,", 1));
    let ran = scene.run(&["ingest", "s.csv"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    has(
        &ran.out,
        &[
            "rejected 1 line of s.csv",
            "line 2: status",
            "they are in",
            "lines: 4 = 2 stored + 1 rejected + 1 blank or header",
        ],
    );
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n8\n");
}

#[test]
fn a_good_and_a_bad_file() {
    let scene = Scene::with_logs();
    scene.file("good.csv", good_day(3));
    scene.file("bad.csv", "a,b\n1,2\n");
    let ran = scene.run(&["ingest", "bad.csv", "good.csv"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    has(&ran.out, &["refused bad.csv", "files: 1 taken, 1 refused"]);
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n9\n");
}

#[test]
fn a_gzip_member_that_is_cut() {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let lines: String = (3..28)
        .map(good_day)
        .map(|day| day.replacen(HEADER, "", 1))
        .collect();
    member.write_all(HEADER.as_bytes()).unwrap();
    member.write_all(lines.as_bytes()).unwrap();
    let bytes = member.finish().unwrap();
    for cut in [bytes.len() / 2, bytes.len() - 1] {
        let ran = refused("cut.csv.gz", &bytes[..cut]);
        assert_eq!(ran.code, 1);
        has(
            &ran.out,
            &[
                "refused cut.csv.gz",
                "the gzip file is cut short",
                "fetch the file again",
            ],
        );
    }
}

#[test]
fn a_disk_that_is_full() {
    let scene = Scene::with_logs();
    let plan = footfall_generate::Plan {
        rows: 40_000,
        days: 3,
        ..footfall_generate::Plan::default()
    };
    footfall_generate::generate(&plan, &scene.path("logs"), &mut |_| ()).unwrap();
    let before = scene.stored();
    // A limit on the size of files stands for a disk without room: the same writes fail.
    let mut command = scene.command("sh");
    command
        .args(["-c", "ulimit -f 16; exec \"$0\" ingest logs/*"])
        .arg(footfall());
    let ran = finish(command, "");
    assert_eq!(ran.code, 1, "{ran:?}");
    has(&ran.err, &["error:", "cannot", "help:"]);
    assert!(scene.stored() == before, "{ran:?}");
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n6\n");
    let ran = finish_ingest(&scene);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n40006\n");
}

fn finish_ingest(scene: &Scene) -> Ran {
    let mut command = scene.command("sh");
    command
        .args(["-c", "exec \"$0\" ingest logs/*"])
        .arg(footfall());
    finish(command, "")
}

#[test]
fn a_disk_without_room() {
    let scene = Scene::with_logs();
    let disk = scene.path("disk");
    fs::create_dir(&disk).unwrap();
    let mut mount = scene.command("mount");
    mount.args(["-t", "tmpfs", "-o", "size=128k", "tmpfs", "disk"]);
    if !mount.status().is_ok_and(|status| status.success()) {
        return; // Only root may mount; the test above needs nobody's leave.
    }
    let ran = scene.run(&["ingest", "day-1.csv", "--store", "disk/store"]);
    let plan = footfall_generate::Plan {
        rows: 100_000,
        days: 1,
        ..footfall_generate::Plan::default()
    };
    footfall_generate::generate(&plan, &scene.path("logs"), &mut |_| ()).unwrap();
    let full = scene.run(&[
        "ingest",
        "logs/access-2025-01-01.csv",
        "--store",
        "disk/store",
    ]);
    let after = scene.run(&["query", "requests", "--store", "disk/store"]);
    let _ = scene.command("umount").arg("disk").status();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(full.code, 1, "{full:?}");
    has(&full.err, &["No space left on device", "help: make room"]);
    assert_eq!(after.out, "requests\n3\n");
}

#[test]
fn a_store_of_a_newer_version() {
    let scene = Scene::with_logs();
    let store = scene.path("footfall-store");
    let current = fs::read_to_string(store.join("CURRENT")).unwrap();
    let name = current.split(' ').next().unwrap();
    let mut manifest = Manifest::from_bytes(&fs::read(store.join(name)).unwrap()).unwrap();
    manifest.features.must_understand = 1 << 63;
    let bytes = manifest.to_bytes().unwrap();
    let mut sum = flate2::Crc::new();
    sum.update(&bytes);
    fs::write(store.join(name), &bytes).unwrap();
    fs::write(store.join("CURRENT"), format!("{name} {:08x}\n", sum.sum())).unwrap();
    for words in [["ingest", "day-1.csv"], ["query", "requests"]] {
        let ran = unchanged(&scene, &words);
        assert_eq!(ran.code, 1, "{ran:?}");
        has(&ran.err, &["error:", "newer", "help:"]);
    }
}

#[test]
fn a_second_writer() {
    let scene = Scene::with_logs();
    scene.file("day-3.csv", good_day(3));
    let store = scene.path("footfall-store");
    let catalog = Catalog::open(Arc::new(RealFileSystem::default()), &store).unwrap();
    let first = catalog.begin().unwrap();
    let ran = unchanged(&scene, &["ingest", "day-3.csv"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    has(&ran.err, &["error:", "writ", "help:"]);
    assert_eq!(scene.run(&["query", "requests"]).out, "requests\n6\n");
    drop(first);
    assert_eq!(scene.run(&["ingest", "day-3.csv"]).code, 0);
}

#[test]
fn a_parquet_file() {
    let ran = refused("p.csv", b"PAR1\x15\x04\x15\x10 and so on PAR1");
    assert_eq!(ran.code, 1);
    has(
        &ran.out,
        &[
            "refused p.csv",
            "a Parquet file, which is not read yet",
            "help: convert it",
        ],
    );
}

#[test]
fn a_page_saved_as_csv() {
    for page in [
        "<!DOCTYPE html>\n<html><body>401</body></html>\n",
        "{\"error\":\"Invalid credentials\"}\n",
    ] {
        let ran = refused("page.csv", page);
        assert_eq!(ran.code, 1);
        has(&ran.out, &["this is a reply of the Hub, not an export"]);
    }
}

#[test]
fn damage_has_its_own_exit() {
    let scene = Scene::with_logs();
    assert_eq!(scene.run(&["verify"]).code, 0);
    let is_manifest = |path: &Path| path.to_string_lossy().contains("MANIFEST");
    let files = scene
        .stored()
        .into_iter()
        .filter(|(path, _)| !is_manifest(path));
    let (largest, mut bytes) = files.max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(largest, bytes).unwrap();
    let ran = scene.run(&["verify"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    has(&ran.out, &["damage:", "1 fault"]);
}

use std::time::{Duration, SystemTime};

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A name for a temporary file of this kernel.
fn temporary_name() -> String {
    format!("{PREFIX}{}-0123456789abcdef{SUFFIX}", kernel())
}

/// A file that a killed writer of some kernel left, changed so many seconds ago.
fn leftover(folder: &Path, name: &str, seconds: u64) -> PathBuf {
    let path = folder.join(name);
    let file = File::create(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    path
}

#[test]
fn files_of_dead_writers_go_and_those_of_living_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let living = AtomicFile::create(&folder.join("new"), AtomicOptions::default()).unwrap();
    leftover(folder, &temporary_name(), 0);
    leftover(folder, ".genotok-0123456789ab-x.tmp", 60);
    leftover(folder, ".genotok-0123456789ab-y.tmp", 8 * 24 * 60 * 60);
    leftover(folder, ".genotok-deadbeef.tmp", 8 * 24 * 60 * 60);
    leftover(folder, ".genotok-deadbeef.lock", 8 * 24 * 60 * 60);
    fs::write(folder.join(".genotok-0123.lock"), format!("process 1 on nowhere\n{}\n", kernel())).unwrap();
    let _held = claim::OutputClaim::file(&folder.join("held")).unwrap();
    leftover(folder, "genotok-x.tmp", 8 * 24 * 60 * 60);
    fs::create_dir(folder.join(".genotok-folder.tmp")).unwrap();
    sweep(folder);
    let own = living.temporary.file_name().unwrap().to_str().unwrap();
    let mut expected = vec![
        own.to_owned(),
        ".genotok-0123456789ab-x.tmp".into(),
        ".genotok-folder.tmp".into(),
        "genotok-x.tmp".into(),
    ];
    expected.extend(names(folder).into_iter().filter(|name| is_claim(name)));
    expected.sort();
    assert_eq!(names(folder), expected);
    assert_eq!(expected.len(), 5);
}

#[test]
fn a_writer_sweeps_its_folder_first() {
    let folder = tempfile::tempdir().unwrap();
    leftover(folder.path(), &temporary_name(), 0);
    write(&folder.path().join("file"), |file| file.write_all(b"whole")).unwrap();
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn links_are_followed_also_where_they_lead_to_nothing_yet() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("inner")).unwrap();
    std::os::unix::fs::symlink("inner/second", folder.join("first")).unwrap();
    std::os::unix::fs::symlink("third", folder.join("inner/second")).unwrap();
    write(&folder.join("first"), |file| file.write_all(b"whole")).unwrap();
    assert_eq!(fs::read(folder.join("inner/third")).unwrap(), b"whole");
    assert!(fs::symlink_metadata(folder.join("first")).unwrap().is_symlink());
    assert_eq!(names(&folder.join("inner")), ["second", "third"]);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    write(&path, |_| Err(io::Error::other("no"))).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn files_that_belong_together_are_new_or_as_before() {
    for (is_over, is_blocked) in [(false, false), (true, false), (false, true), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("out.bin"), folder.path().join("out.idx")];
        if is_over {
            paths.iter().for_each(|path| fs::write(path, "old").unwrap());
        }
        let files = paths.iter().map(|path| {
            let mut file = AtomicFile::create(path, AtomicOptions::default()).unwrap();
            file.write_all(b"new").unwrap();
            file
        });
        let files: Vec<_> = files.collect();
        if is_blocked {
            fs::remove_file(&files[1].temporary).unwrap();
        }
        let done = commit_together(files);
        let found: Vec<_> = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        if is_blocked {
            assert_eq!(done.unwrap_err().0, 1);
            assert_eq!(found, if is_over { vec!["old"; 2] } else { vec![] });
        } else {
            done.unwrap();
            assert_eq!(found, ["new", "new"]);
        }
        assert_eq!(names(folder.path()).len(), found.len());
    }
}

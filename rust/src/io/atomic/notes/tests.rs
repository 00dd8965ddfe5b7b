use std::fs::FileTimes;
use std::time::SystemTime;

use super::super::names::{PREFIX, kernel};
use super::*;

const NAMES: [&str; 2] = ["out.bin", "out.idx"];

/// A pair that is about to be named, with an older one there or without.
struct Pair {
    folder: tempfile::TempDir,
    renamings: Vec<Renaming>,
}

impl Pair {
    fn new(is_over: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let renaming = |(at, name): (usize, &&str)| {
            let temporary = folder.path().join(format!("{PREFIX}{}-{at}{SUFFIX}", kernel()));
            let target = folder.path().join(name);
            fs::write(&temporary, format!("new {name}")).unwrap();
            if is_over {
                fs::write(&target, format!("old {name}")).unwrap();
            }
            Renaming::of(&temporary, &target).unwrap()
        };
        let renamings: Vec<_> = NAMES.iter().enumerate().map(renaming).collect();
        fs::write(path_of(&renamings).unwrap(), text_of(&renamings)).unwrap();
        Self { folder, renamings }
    }

    fn recover(&self) {
        recover(self.folder.path(), 1).unwrap();
    }

    /// The files there, with their contents; the temporary ones and the note without.
    fn found(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        let mut found: Vec<String> = entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                if name.starts_with(PREFIX) { name } else { fs::read_to_string(entry.path()).unwrap() }
            })
            .collect();
        found.sort();
        found
    }
}

fn named(age: &str) -> Vec<String> {
    NAMES.iter().map(|name| format!("{age} {name}")).collect()
}

/// The names that [`forward`] changes, in order.
fn steps(pair: &Pair) -> Vec<(PathBuf, PathBuf)> {
    let olds = pair.renamings.iter().rev().filter(|one| !one.old.is_empty());
    let olds = olds.map(|one| (one.target.clone(), one.spare()));
    olds.chain(pair.renamings.iter().map(|one| (one.temporary.clone(), one.target.clone()))).collect()
}

#[test]
fn a_kill_at_any_step_is_followed_by_the_new_files() {
    for is_over in [false, true] {
        for killed in 0..=steps(&Pair::new(is_over)).len() {
            let pair = Pair::new(is_over);
            for (from, to) in &steps(&pair)[..killed] {
                fs::rename(from, to).unwrap();
            }
            pair.recover();
            assert_eq!(pair.found(), named("new"), "{is_over} {killed}");
        }
    }
}

#[test]
fn an_undone_step_at_any_place_leaves_the_old_files_or_can_be_redone() {
    for is_over in [false, true] {
        let count = steps(&Pair::new(is_over)).len();
        for failed in 0..=count {
            let pair = Pair::new(is_over);
            for (from, to) in &steps(&pair)[..failed] {
                fs::rename(from, to).unwrap();
            }
            back(&pair.renamings).unwrap();
            let visible: Vec<_> = pair.found().into_iter().filter(|name| !name.starts_with(PREFIX)).collect();
            assert_eq!(visible, if is_over { named("old") } else { vec![] });
            assert!(pair.renamings.iter().all(|one| one.is_waiting().unwrap()));
            pair.recover();
            assert_eq!(pair.found(), named("new"));
        }
    }
}

#[test]
fn a_file_of_the_user_stays() {
    for killed in 0..=1 {
        let pair = Pair::new(false);
        for (from, to) in &steps(&pair)[..killed] {
            fs::rename(from, to).unwrap();
        }
        fs::write(pair.folder.path().join("out.idx"), "mine").unwrap();
        pair.recover();
        let found = pair.found();
        assert!(found.contains(&"mine".to_owned()));
        assert_eq!(found.contains(&"new out.bin".to_owned()), killed == 1);
        assert!(!found.iter().any(|name| name.ends_with(NOTE_SUFFIX)));
    }
}

#[test]
fn a_complete_pair_that_the_user_changed_stays() {
    let pair = Pair::new(true);
    forward(&pair.renamings).unwrap();
    fs::write(pair.folder.path().join("out.idx"), "new, and more").unwrap();
    pair.recover();
    assert_eq!(pair.found(), ["new out.bin", "new, and more"]);
}

#[test]
fn old_files_come_back_if_the_new_ones_are_gone() {
    let pair = Pair::new(true);
    for (from, to) in &steps(&pair)[..2] {
        fs::rename(from, to).unwrap();
    }
    fs::remove_file(&pair.renamings[1].temporary).unwrap();
    pair.recover();
    let visible: Vec<_> = pair.found().into_iter().filter(|name| !name.starts_with(PREFIX)).collect();
    assert_eq!(visible, named("old"));
}

#[test]
fn the_note_of_a_living_writer_stays_and_so_do_its_files() {
    let pair = Pair::new(true);
    let note = path_of(&pair.renamings).unwrap();
    let writer = File::open(&note).unwrap();
    writer.lock().unwrap();
    let spare = pair.renamings[1].spare();
    fs::rename(&pair.renamings[1].target, &spare).unwrap();
    let before = pair.found();
    super::super::sweep(pair.folder.path());
    assert_eq!(pair.found(), before);
    assert!(is_noted(pair.folder.path(), spare.file_name().unwrap()));
    drop(writer);
    super::super::sweep(pair.folder.path());
    assert_eq!(pair.found(), named("new"));
}

#[test]
fn two_processes_recover_at_once() {
    for _ in 0..20 {
        let pair = Pair::new(true);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| recover(pair.folder.path(), TRIES).unwrap());
            }
        });
        assert_eq!(pair.found(), named("new"));
    }
}

#[test]
fn the_note_of_another_kernel_waits_a_week() {
    let pair = Pair::new(false);
    let note = pair.folder.path().join(format!("{PREFIX}0123456789ab-0{NOTE_SUFFIX}"));
    fs::rename(path_of(&pair.renamings).unwrap(), &note).unwrap();
    pair.recover();
    assert!(note.exists());
    let week = SystemTime::now() - Duration::from_hours(8 * 24);
    File::options().write(true).open(&note).unwrap().set_times(FileTimes::new().set_modified(week)).unwrap();
    pair.recover();
    assert_eq!(pair.found(), named("new"));
}

#[test]
fn hostile_notes_move_nothing() {
    let pair = Pair::new(false);
    let note = path_of(&pair.renamings).unwrap();
    let text = String::from_utf8(text_of(&pair.renamings)).unwrap();
    let other = tempfile::tempdir().unwrap();
    let outside = other.path().join("out.bin");
    for hostile in [
        String::new(),
        "x".repeat(1 << 20),
        text.replace("renames 1", "renames 2"),
        text.replace("out.bin", outside.to_str().unwrap()),
        text.replace("out.bin", "../out.bin"),
        text.replace("out.bin", ".."),
        text.replace("out.bin", ""),
        text.replace(SUFFIX, ".fa"),
        text.clone() + "\0",
        text[..text.len() - 4].to_owned(),
    ] {
        fs::write(&note, hostile).unwrap();
        pair.recover();
        assert!(!note.exists() && !outside.exists());
        assert_eq!(pair.found().len(), 2);
    }
    fs::create_dir(&note).unwrap();
    pair.recover();
    assert_eq!(parse(text.as_bytes(), pair.folder.path()), Some(pair.renamings));
}

#[test]
fn a_folder_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new"), "new").unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let error = Renaming::of(&folder.path().join("new"), &folder.path().join("out")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IsADirectory);
}

//! Many commands in one shell.

use pf_testkit::Instance;

/// Runs shell commands in the instance's directory `below`, all at the same time, since the original takes a second for each that
/// fails; shows each with its output, complaints and exit status.
pub fn at_once(instance: &Instance, below: &str, cases: &[&str]) -> String {
    let mut script = format!(
        "cd {}\nPATH={}:/usr/bin:/bin\n",
        instance.path(below).display(),
        instance.target().command_directory().display()
    );
    let top = instance.path("");
    let top = top.display();
    for (at, case) in cases.iter().enumerate() {
        script +=
            &format!("({case}; echo $? >{top}/s.{at}) >{top}/o.{at} 2>{top}/e.{at} </dev/null &\n");
    }
    script += "wait\n";
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(output.status, 0, "{output:?}");
    let mut text = String::new();
    for (at, case) in cases.iter().enumerate() {
        let case = if case.len() > 200 { "(long)" } else { case };
        text += &format!("$ {case}\n{}", instance.read(&format!("o.{at}")));
        for line in instance.read(&format!("e.{at}")).lines() {
            text += &format!("! {line}\n");
        }
        text += &format!("= {}", instance.read(&format!("s.{at}")));
    }
    text.replace('\0', "\\0")
}

/// Runs shell commands in the instance's directory `below` one after the other; shows each with its output, complaints and exit
/// status. `TOP` stands for the instance's directory.
pub fn one_by_one(instance: &Instance, below: &str, cases: &[&str]) -> String {
    let top = instance.path("");
    let top = top.to_string_lossy();
    let top = top.trim_end_matches('/');
    let mut text = String::new();
    for case in cases {
        // What goes on in the background is not waited for: it may keep the files open.
        let script = format!(
            "cd {}\nPATH={}:/usr/sbin:/usr/bin:/bin\n({}\n) >{top}/o.1 2>{top}/e.1",
            instance.path(below).display(),
            instance.target().command_directory().display(),
            case.replace("TOP", top)
        );
        let status = instance.run("/bin/sh", &["-c", &script]).status;
        text += &format!("$ {case}\n{}", instance.read("o.1"));
        for line in instance.read("e.1").lines() {
            text += &format!("! {line}\n");
        }
        text += &format!("= {status}\n");
    }
    text
}

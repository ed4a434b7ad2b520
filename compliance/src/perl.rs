//! What the original's qshape needs, and the least of Debian does not have.

use std::fs;

use pf_testkit::Instance;

/// Puts the machine's own modules of Perl into the instance's directory `perl`, for `PERL5LIB`.
pub fn lend(instance: &Instance) {
    for module in ["File/Find.pm", "Getopt/Std.pm"] {
        let to = instance.path("perl").join(module);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let output = std::process::Command::new("perl")
            .args([
                "-MFile::Find",
                "-MGetopt::Std",
                "-e",
                "print $INC{$ARGV[0]}",
                module,
            ])
            .output()
            .unwrap();
        fs::copy(String::from_utf8(output.stdout).unwrap(), to).unwrap();
    }
}

//! Finds or installs the dependencies of the WordPress plugin's test: PHP and MariaDB of the system, and WordPress
//! itself from Debian's package, unpacked among the tools, so that no web server is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{paths, process, setup};

/// Programs of the system. The package `-core` has a database that is not started as a service.
const PROGRAMS: [&str; 3] = ["php-cli", "php-mysql", "mariadb-server-core"];

/// Packages that belong to WordPress, of those that its package depends on: its themes, and libraries that Debian has
/// moved out of it.
const PARTS: [&str; 3] = ["wordpress-theme-", "libjs-", "php-getid3"];

/// The installed WordPress, or the reason why there is none.
pub enum WordPress {
    /// Its folder.
    Ready(PathBuf),
    /// What is missing, and how to install it.
    Missing(String),
}

/// Finds WordPress. As root, installs it when it is missing; otherwise returns how to install it.
pub fn find_or_install() -> Result<WordPress> {
    let here = |program: &str| process::probe(Command::new(program).arg("--version")).is_some();
    if !here("apt-get") || !here("dpkg-deb") {
        let why =
            "the plugin for WordPress is tested with packages of Debian, and there is no apt-get";
        return Ok(WordPress::Missing(why.to_owned()));
    }
    if !programs() {
        if !setup::is_root() {
            return Ok(WordPress::Missing(format!(
                "programs are missing: `sudo apt-get install --no-install-recommends {}`",
                PROGRAMS.join(" ")
            )));
        }
        setup::apt_install(&PROGRAMS)?;
    }
    let site = paths::root().join(".tools/wordpress/site");
    if site.is_dir() {
        return Ok(WordPress::Ready(site));
    }
    match unpack(&site) {
        Ok(()) => Ok(WordPress::Ready(site)),
        Err(error) if setup::is_root() => Err(error),
        Err(error) => Ok(WordPress::Missing(format!(
            "WordPress could not be downloaded, perhaps because `sudo apt-get update` is due: {error:#}"
        ))),
    }
}

fn programs() -> bool {
    let php = "exit(extension_loaded('mysqli') && PHP_VERSION_ID >= 70400 ? 0 : 1);";
    let database = ["mariadbd", "/usr/sbin/mariadbd"]
        .iter()
        .any(|program| process::probe(Command::new(program).arg("--version")).is_some());
    process::probe(Command::new("php").args(["-r", php])).is_some() && database
}

/// Downloads the packages, unpacks them, and puts WordPress together. The folder appears when it is complete.
fn unpack(site: &Path) -> Result<()> {
    println!("• WordPress of Debian into .tools");
    let folder = site.with_file_name("packages");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let download = || -> Result<()> {
        let asked = Command::new("apt-cache")
            .args(["depends", "wordpress"])
            .output()?;
        let mut names = parts(&String::from_utf8_lossy(&asked.stdout));
        names.push("wordpress".to_owned());
        process::run_quietly(
            Command::new("apt-get")
                .current_dir(&folder)
                .args(["download", "-qq"])
                .args(names),
        )
    };
    if download().is_err() {
        // A fresh machine has no package lists yet.
        let _ = process::run_quietly(Command::new("apt-get").args(["update", "-qq"]));
        download()?;
    }
    for package in fs::read_dir(&folder)? {
        let package = package?.path();
        if package.extension().is_some_and(|kind| kind == "deb") {
            process::run_quietly(
                Command::new("dpkg-deb")
                    .arg("-x")
                    .arg(&package)
                    .arg(&folder),
            )?;
        }
    }
    let whole = folder.join("whole");
    copy(&folder.join("usr/share/wordpress"), &whole)?;
    fs::rename(&whole, site).with_context(|| format!("could not make {}", site.display()))?;
    Ok(fs::remove_dir_all(&folder)?)
}

/// The packages that `apt-cache depends` names and that belong to WordPress.
fn parts(listed: &str) -> Vec<String> {
    let names = listed.lines().filter_map(|line| line.split_once(": "));
    let mut names: Vec<String> = names
        .map(|(_, name)| name.trim().to_owned())
        .filter(|name| PARTS.iter().any(|part| name.starts_with(part)))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Copies the targets of links; a link without a target is a setting of the system, which is left out.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let told = || format!("could not copy {}", from.display());
    fs::create_dir_all(to).with_context(told)?;
    for entry in fs::read_dir(from).with_context(told)? {
        let entry = entry.with_context(told)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        match fs::metadata(&source) {
            Ok(kind) if kind.is_dir() => copy(&source, &target)?,
            Ok(_) => {
                fs::copy(&source, &target).with_context(told)?;
            }
            Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_wordpress_is_told_from_what_it_needs() {
        let listed = "wordpress\n |Depends: apache2\n  Depends: <httpd>\n    nginx\n  Depends: php-gd\n  Depends: libjs-underscore\n  \
                      Depends: php-getid3\n  Recommends: wordpress-l10n\n  Recommends: wordpress-theme-twentytwentythree\n";
        assert_eq!(
            parts(listed),
            [
                "libjs-underscore",
                "php-getid3",
                "wordpress-theme-twentytwentythree"
            ]
        );
    }
}

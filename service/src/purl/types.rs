//! The registered types, and what the definition of each says (packageurl.org/types).
//!
//! A definition says some things in flags and some in notes. Flags are all here. Of the notes, these are:
//! the limits on names of cocoapods and cpan, the two segments of swid's namespace, the capitals of a CPANID, and
//! that Databricks ignores case in MLflow's names. Two definitions contradict themselves or a case of the
//! specification's test suite:
//!
//! - golang: `case_sensitive` is true, the notes ask for lower case. Go tells `github.com/A/b` and `github.com/a/b`
//!   apart, and `ardb` has always, so names stay as they are.
//! - git: `case_sensitive` is true, one case lowers a repository at GitHub. Its names ignore case, as the definition
//!   of the type github says; those at every other host stay.

use super::rule::{Case, Qualifier, Requirement, Rewrite, Rule, Type};

use Requirement::{Optional, Prohibited, Required};

const ANY: Rule = Rule::ANY;
const LOWER: Rule = Rule::LOWER;

const fn optional(key: &'static str) -> Qualifier {
    Qualifier { key, is_required: false, default: None }
}

const fn required(key: &'static str) -> Qualifier {
    Qualifier { key, is_required: true, default: None }
}

const fn defaulting(key: &'static str, default: &'static str) -> Qualifier {
    Qualifier { key, is_required: false, default: Some(default) }
}

/// The definition of the type `name` (in lower case), or `None` if it is not registered.
#[must_use]
pub fn find(name: &str) -> Option<&'static Type> {
    TYPES.binary_search_by(|one| one.name.cmp(name)).ok().and_then(|at| TYPES.get(at))
}

/// Every registered type, sorted by name.
pub static TYPES: [Type; 42] = [
    Type::new("alpm", Required).namespace(LOWER).package_name(LOWER).qualifiers(&[optional("arch")]),
    Type::new("apk", Required).namespace(LOWER).package_name(LOWER).qualifiers(&[optional("arch")]),
    Type::new("bazel", Prohibited)
        .qualifiers(&[defaulting("repository_url", "https://bcr.bazel.build")])
        .registry("https://bcr.bazel.build"),
    Type::new("bitbucket", Required).namespace(LOWER).package_name(LOWER).registry("https://bitbucket.org"),
    Type::new("bitnami", Prohibited)
        .package_name(LOWER)
        .qualifiers(&[defaulting("arch", "amd64"), optional("distro")])
        .registry("https://downloads.bitnami.com/files/stacksmith"),
    Type::new("brew", Optional)
        .namespace(LOWER)
        .package_name(LOWER)
        .qualifiers(&[optional("repository_url")])
        .registry("https://formulae.brew.sh/"),
    Type::new("cargo", Prohibited).registry("https://crates.io/"),
    Type::new("chrome-extension", Prohibited)
        .package_name(LOWER.pattern("^[a-p]{32}$", |id| {
            id.len() == 32 && id.bytes().all(|letter| matches!(letter, b'a'..=b'p'))
        }))
        .version(ANY.pattern(r"^\d+(\.\d+){0,3}$", |version| {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
            version.split('.').count() <= 4 && version.split('.').all(is_number)
        }))
        .registry("https://chromewebstore.google.com/"),
    Type::new("cocoapods", Prohibited)
        .package_name(ANY.noted("no whitespace, no + and no . in front", |name| {
            !name.starts_with('.') && !name.contains(|c: char| c.is_whitespace() || c == '+')
        }))
        .registry("https://cdn.cocoapods.org/"),
    Type::new("composer", Required).namespace(LOWER).package_name(LOWER).registry("https://packagist.org"),
    Type::new("conan", Optional)
        .qualifiers(&[optional("channel"), optional("prev"), optional("rrev"), optional("user")])
        .registry("https://center.conan.io"),
    Type::new("conda", Prohibited)
        .qualifiers(&[optional("build"), optional("channel"), optional("subdir"), optional("type")])
        .registry("https://repo.anaconda.com"),
    Type::new("cpan", Optional)
        .namespace(Rule::case(Case::Upper))
        .package_name(ANY.noted("a distribution, not a module: no ::", |name| !name.contains("::")))
        .qualifiers(&[
            optional("author"),
            optional("distpath"),
            optional("download_url"),
            defaulting("ext", "tar.gz"),
            optional("repository_url"),
            optional("vcs_url"),
        ])
        .registry("https://www.cpan.org/"),
    Type::new("cran", Prohibited).registry("https://cran.r-project.org"),
    Type::new("deb", Required).namespace(LOWER).package_name(LOWER).qualifiers(&[optional("arch")]),
    Type::new("docker", Optional).registry("https://hub.docker.com"),
    Type::new("gem", Prohibited)
        .qualifiers(&[defaulting("platform", "ruby")])
        .registry("https://rubygems.org"),
    Type::new("generic", Optional)
        .qualifiers(&[optional("checksum"), optional("download_url")])
        .no_registry(),
    Type::new("git", Required).package_name(Rule::case(Case::LowerAtGithub)).path_names(),
    Type::new("github", Required).namespace(LOWER).package_name(LOWER).registry("https://github.com"),
    Type::new("golang", Required),
    Type::new("hackage", Prohibited)
        .package_name(ANY.rewrite(Rewrite::KebabCase))
        .registry("https://hackage.haskell.org"),
    Type::new("hex", Optional).namespace(LOWER).package_name(LOWER).registry("https://repo.hex.pm"),
    Type::new("huggingface", Required).version(LOWER),
    Type::new("julia", Prohibited)
        .qualifiers(&[required("uuid")])
        .registry("https://github.com/JuliaRegistries/General"),
    Type::new("luarocks", Optional)
        .namespace(LOWER)
        .package_name(LOWER)
        .qualifiers(&[optional("repository_url")]),
    Type::new("maven", Required)
        .qualifiers(&[optional("classifier"), defaulting("type", "jar")])
        .registry("https://repo.maven.apache.org/maven2/"),
    Type::new("mlflow", Prohibited)
        .package_name(Rule::case(Case::LowerAtDatabricks))
        .qualifiers(&[optional("model_uuid"), optional("run_id")]),
    Type::new("npm", Optional).registry("https://registry.npmjs.org/"),
    Type::new("nuget", Prohibited).registry("https://www.nuget.org"),
    Type::new("oci", Prohibited).package_name(LOWER).version(LOWER).qualifiers(&[
        optional("arch"),
        optional("repository_url"),
        optional("tag"),
    ]),
    Type::new("opam", Prohibited).registry("https://opam.ocaml.org"),
    Type::new("otp", Prohibited)
        .package_name(LOWER)
        .subpath(LOWER)
        .qualifiers(&[optional("arch"), optional("platform"), optional("repository_url")])
        .no_registry(),
    Type::new("pub", Prohibited)
        .package_name(LOWER.rewrite(Rewrite::OtherToUnderscore).pattern("^[a-z0-9_]", |name| {
            name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }))
        .registry("https://pub.dartlang.org"),
    Type::new("pypi", Prohibited)
        .package_name(LOWER.rewrite(Rewrite::UnderscoreToDash))
        .version(LOWER)
        .qualifiers(&[optional("file_name")])
        .registry("https://pypi.org"),
    Type::new("qpkg", Required).namespace(LOWER),
    Type::new("rpm", Required).namespace(LOWER).qualifiers(&[optional("arch"), optional("epoch")]),
    Type::new("swid", Optional)
        .namespace(ANY.noted("at most two segments", |namespace| namespace.split('/').count() <= 2))
        .qualifiers(&[
            optional("patch"),
            optional("tag_creator_name"),
            optional("tag_creator_regid"),
            required("tag_id"),
            optional("tag_version"),
        ])
        .no_registry(),
    Type::new("swift", Required),
    Type::new("vcpkg", Prohibited)
        .qualifiers(&[optional("port_version"), optional("repository_revision"), optional("triplet")])
        .registry("https://github.com/microsoft/vcpkg/"),
    Type::new("vscode-extension", Required)
        .namespace(LOWER)
        .package_name(LOWER)
        .version(LOWER)
        .qualifiers(&[defaulting("platform", "universal")])
        .registry("https://marketplace.visualstudio.com/vscode-extension"),
    Type::new("yocto", Optional)
        .namespace(LOWER)
        .qualifiers(&[optional("layer_version"), optional("repository_url")]),
];

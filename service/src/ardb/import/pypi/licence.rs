//! The licence of a release of PyPI's: an expression of SPDX where it has one, else what it was before there was such a
//! field: a text of any kind, and classifiers.

use super::super::registry::Published;
use crate::ardb::licence::{Licence, normalize};

const PREFIX: &str = "License :: ";

/// Classifiers that stand for one licence. Those that could be several, such as `BSD License`, are not here:
/// <https://peps.python.org/pep-0639/#mapping-license-classifiers-to-spdx-identifiers>.
const SPDX: [(&str, &str); 45] = [
    ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
    ("CeCILL-B Free Software License Agreement (CECILL-B)", "CECILL-B"),
    ("CeCILL-C Free Software License Agreement (CECILL-C)", "CECILL-C"),
    ("OSI Approved :: Attribution Assurance License", "AAL"),
    ("OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)", "BlueOak-1.0.0"),
    ("OSI Approved :: Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
    ("OSI Approved :: CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)", "CECILL-2.1"),
    ("OSI Approved :: Common Development and Distribution License 1.0 (CDDL-1.0)", "CDDL-1.0"),
    ("OSI Approved :: Common Public License", "CPL-1.0"),
    ("OSI Approved :: Eclipse Public License 1.0 (EPL-1.0)", "EPL-1.0"),
    ("OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0"),
    ("OSI Approved :: Educational Community License, Version 2.0 (ECL-2.0)", "ECL-2.0"),
    ("OSI Approved :: European Union Public Licence 1.0 (EUPL 1.0)", "EUPL-1.0"),
    ("OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)", "EUPL-1.1"),
    ("OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
    ("OSI Approved :: GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("OSI Approved :: GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("OSI Approved :: GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("OSI Approved :: GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("OSI Approved :: GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
    ("OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", "HPND"),
    ("OSI Approved :: IBM Public License", "IPL-1.0"),
    ("OSI Approved :: ISC License (ISCL)", "ISC"),
    ("OSI Approved :: MIT License", "MIT"),
    ("OSI Approved :: MIT No Attribution License (MIT-0)", "MIT-0"),
    ("OSI Approved :: MirOS License (MirOS)", "MirOS"),
    ("OSI Approved :: Mozilla Public License 1.0 (MPL)", "MPL-1.0"),
    ("OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
    ("OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("OSI Approved :: Mulan Permissive Software License v2 (MulanPSL-2.0)", "MulanPSL-2.0"),
    ("OSI Approved :: NASA Open Source Agreement v1.3 (NASA-1.3)", "NASA-1.3"),
    ("OSI Approved :: Open Software License 3.0 (OSL-3.0)", "OSL-3.0"),
    ("OSI Approved :: PostgreSQL License", "PostgreSQL"),
    ("OSI Approved :: Python License (CNRI Python License)", "CNRI-Python"),
    ("OSI Approved :: SIL Open Font License 1.1 (OFL-1.1)", "OFL-1.1"),
    ("OSI Approved :: The Unlicense (Unlicense)", "Unlicense"),
    ("OSI Approved :: Universal Permissive License (UPL)", "UPL-1.0"),
    ("OSI Approved :: University of Illinois/NCSA Open Source License", "NCSA"),
    ("OSI Approved :: Zero-Clause BSD (0BSD)", "0BSD"),
    ("OSI Approved :: zlib/libpng License", "Zlib"),
];

/// The first of these that SPDX knows, else the first that says something: the expression, the text, the classifiers.
pub(super) fn read(expression: &str, text: &str, classifiers: &[String]) -> Published {
    if !expression.trim().is_empty() {
        return Published { licence: normalize(expression), text: expression.to_owned() };
    }
    let known = normalize(text);
    if known.as_ref().is_some_and(|licence| licence.is_spdx) {
        return Published { text: text.to_owned(), licence: known };
    }
    let licences: Vec<&str> = classifiers.iter().filter_map(|one| one.strip_prefix(PREFIX)).collect();
    if let [one] = licences[..]
        && let Some((_, identifier)) = SPDX.iter().find(|(name, _)| *name == one)
    {
        let licence = Licence { expression: (*identifier).to_owned(), is_spdx: true };
        return Published { text: format!("{PREFIX}{one}"), licence: Some(licence) };
    }
    // Some put all of a licence's text there, which names it no more than a classifier does.
    if known.is_some() && !text.trim().contains('\n') || licences.is_empty() {
        return Published { text: text.to_owned(), licence: known };
    }
    // The last part of each is its name.
    let names: Vec<&str> = licences.iter().filter_map(|one| one.rsplit(" :: ").next()).collect();
    let names = names.join(", ");
    Published { licence: normalize(&names), text: names }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expression: &str, text: &str, classifiers: &[&str]) -> (String, Option<String>) {
        let classifiers: Vec<String> = classifiers.iter().map(|one| format!("{PREFIX}{one}")).collect();
        let Published { text, licence } = read(expression, text, &classifiers);
        (text, licence.map(|found| format!("{} {}", found.expression, found.is_spdx)))
    }

    #[test]
    fn what_spdx_knows_comes_first() {
        let mit = "OSI Approved :: MIT License";
        let bsd = "OSI Approved :: BSD License";
        for (expression, text, classifiers, published, licence) in [
            ("MIT OR Apache-2.0", "BSD", &[bsd][..], "MIT OR Apache-2.0", Some("MIT OR Apache-2.0 true")),
            ("", "Apache-2.0", &[mit], "Apache-2.0", Some("Apache-2.0 true")),
            ("", "see LICENCE", &[mit], "License :: OSI Approved :: MIT License", Some("MIT true")),
            ("", "see LICENCE", &[bsd], "see LICENCE", Some("see LICENCE false")),
            ("", "", &[bsd], "BSD License", Some("BSD License false")),
            (
                "",
                "Permission is\nhereby granted",
                &[mit, bsd],
                "MIT License, BSD License",
                Some("MIT License, BSD License false"),
            ),
            ("", "", &[], "", None),
        ] {
            let expected = (published.to_owned(), licence.map(str::to_owned));
            assert_eq!(found(expression, text, classifiers), expected, "{expression} {text}");
        }
    }

    #[test]
    fn every_classifier_stands_for_a_licence_of_spdx() {
        for (name, identifier) in SPDX {
            assert_eq!(
                normalize(identifier).map(|found| (found.expression, found.is_spdx)),
                Some((identifier.into(), true)),
                "{name}"
            );
        }
        assert!(SPDX.is_sorted());
    }
}

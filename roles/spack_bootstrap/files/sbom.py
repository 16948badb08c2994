# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The software bill of materials of a volume: SPDX 2.3, every package that lies on it, with its licence. build.py uses it.

Spack leaves such a document in each prefix. They are joined here; a package without one is listed, its licence unknown.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import hashlib
import json
import os
import time

UNKNOWN = "NOASSERTION"
OF_ONE_PACKAGE = ".spack/sbom/spdx-2.3.json"
VOLUME = "SPDXRef-Volume"


def sbom(mount_path, packages, nodes, created):
    """Return the document.

    packages: those on the volume, [{"name", "version", "hash", "prefix"}]. nodes: spack.lock's, by hash. created: seconds since 1970.
    """
    identifiers = {package["hash"]: "SPDXRef-{name}-{hash}".format(**package) for package in packages}
    content = "\n".join(sorted(identifiers))
    volume = described("software under " + mount_path, "", VOLUME)
    relationships = [related("SPDXRef-DOCUMENT", "DESCRIBES", VOLUME)]
    for key, identifier in sorted(identifiers.items()):
        relationships.append(related(VOLUME, "CONTAINS", identifier))
        for needed in nodes[key].get("dependencies", []):
            if needed["hash"] in identifiers:
                relationships.append(related(identifier, "DEPENDS_ON", identifiers[needed["hash"]]))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": volume["name"],
        "documentNamespace": "https://spdx.org/spdxdocs/petal-" + hashlib.sha256(content.encode()).hexdigest(),
        "documentDescribes": [VOLUME],
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created)), "creators": ["Tool: petal.hpc"]},
        "packages": [volume] + [dict(of_package(package), SPDXID=identifiers[package["hash"]]) for package in packages],
        "relationships": relationships,
    }


def of_package(package):
    """Return what Spack says of one package."""
    own = {}
    path = os.path.join(package["prefix"], OF_ONE_PACKAGE)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as document:
            # The first is the package itself, the others are what it needs.
            own = dict(json.load(document)["packages"][0])
        # Spack 1.2 spells the key in the singular.
        own["checksums"] = own.pop("checksum", None) or own.get("checksums", [])
    return dict(described(package["name"], package["version"], ""), **own)


def described(name, version, identifier):
    return {
        "SPDXID": identifier,
        "name": name,
        "versionInfo": version,
        "supplier": UNKNOWN,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "licenseDeclared": UNKNOWN,
        "licenseConcluded": UNKNOWN,
        "copyrightText": UNKNOWN,
    }


def related(one, how, other):
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}

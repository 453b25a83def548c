/** Commands about what is in images. */
import type { Command } from "../command.ts";
import type { FlagSpec } from "../flags.ts";
import { flag, platformFlag } from "./flag.ts";

const places =
  "IMAGE is a name: the store's image, else the registry's. Other places are docker://NAME (the registry, whatever the store has), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME and store:NAME; a path (./FILE, /DIR, FILE.tar) is the archive or layout that lies there. A directory of other files, a project or a root file system, is looked into as it is: ./DIR or fs://DIR. An archive may also come on standard input: -.";

/** Whose advisories are taken from a registry. */
const signerFlags: readonly FlagSpec[] = [
  flag("identity", "", "string", "From a registry, take only what this signer signed (an address or a workflow)"),
  flag("identity-regexp", "", "string", "The same, by a pattern for the whole identity"),
  flag("insecure-ignore-sct", "", "bool", "With --identity, certificates need not be in a log of certificates"),
  flag("insecure-ignore-tlog", "", "bool", "With --identity, signatures need not be in a transparency log"),
  flag("issuer", "", "string", "With --identity, who has to vouch for it (an OpenID provider's address)"),
  flag("issuer-regexp", "", "string", "The same, by a pattern for the whole address"),
  flag("key", "", "stringArray", "From a registry, take only what this public key's holder signed", { complete: "file" }),
  flag("trusted-root", "", "string", "With --identity, file of the authorities and logs that are trusted (sigstore's trusted_root.json)", {
    complete: "file",
  }),
];

const update = "a scan updates nothing and asks no network: slipway db import FILE and db pull REFERENCE bring advisories";
const access = "slipway login signs in at registries, registries.conf says how they are reached (docs/registries.md)";
const place = "IMAGE says where it is: NAME, docker://NAME, store:NAME, oci:DIR, ./image.tar";
const kinds = "--skip leaves out packages of a kind, as npm or deb";
const base = "what comes from the base stands apart in the table, and is marked in documents";
const quiet = "there is no progress to leave out, and warnings say what was not compared";

/** What users of other scanners type, and what it is called here. */
const scanWords: Readonly<Record<string, string>> = {
  input: place,
  "image-src": place,
  ref: place,
  "list-all-pkgs": "slipway sbom lists all packages",
  "dependency-tree": "slipway sbom lists packages with the files that they come from",
  "show-suppressed": "--all shows what is suppressed too",
  "ignore-suppressed": "what is suppressed is only shown with --all",
  "skip-db-update": update,
  "skip-update": update,
  "skip-java-db-update": update,
  "offline-scan": update,
  "download-db-only": update,
  "db-repository": update,
  "cache-dir": "--root or SLIPWAY_ROOT names the store, where advisories lie",
  "vuln-type": kinds,
  "pkg-types": kinds,
  "only-package-type": kinds,
  "security-checks": "--scanners says what to look for",
  "only-severity": "--severity shows only these",
  "only-fixed": "--ignore-unfixed shows only what can be mended",
  "only-base": base,
  "ignore-base": base,
  "ignore-status": "--ignore-unfixed leaves out all that has no fixed version",
  "vex-location": "--vex names a file of statements, --vex-key whose attested ones count",
  "only-cisa-kev": "--fail-on kev fails on what is exploited; it stands first in the table",
  to: "--against names the older image",
  template: "--format json is for programs that write something else of it",
  t: "--format json is for programs that write something else of it",
  e: "--exit-code CODE",
  quiet,
  q: quiet,
  "no-progress": quiet,
  username: access,
  password: access,
  "registry-token": access,
  insecure: access,
};

export const packageCommands: readonly Command[] = [
  {
    name: "sbom",
    short: "List the packages in an image, as a table or as an SBOM",
    long: `Lists the packages in an image, each with the layer, and where this store built the image with the line of the Dockerfile, that brought it. What is found in a layer is kept, so a second look at it costs nothing.\n\n${places}`,
    usage: "[OPTIONS] IMAGE",
    flags: [
      flag("format", "", "string", 'How to write the output ("table", "json", "spdx-json", "cyclonedx-json"; default "table", or as the file\'s name says)', {
        complete: ["table", "json", "spdx-json", "cyclonedx-json"],
      }),
      flag("only-package-type", "", "strings", 'List only packages of these kinds ("npm", "deb", "golang", ...)', {
        complete: ["deb", "apk", "rpm", "npm", "pypi", "golang", "cargo", "maven", "gem", "composer", "nuget"],
      }),
      flag("output", "o", "stringArray", "Write to a file instead of standard output; FORMAT=FILE, several times, writes several formats", {
        complete: "file",
      }),
      platformFlag,
      flag("quiet", "q", "bool", "Say nothing about files that were not read"),
    ],
    args: { min: 1, max: 1 },
    paths: ["sbom"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "What is in an image, and which line brought it", command: "slipway sbom app:1.0" },
      { text: "An SBOM for others' tools; the file's name says which", command: "slipway sbom -o app.spdx.json app:1.0" },
      { text: "Both formats at once", command: "slipway sbom -o spdx-json=app.spdx.json -o cyclonedx-json=app.cdx.json app:1.0" },
      { text: "Of an archive that another program writes", command: "docker save app:1.0 | slipway sbom -" },
      { text: "Of an image that is not here, for another platform", command: "slipway sbom --platform linux/arm64 docker://alpine:3.20" },
    ],
    load: async () => (await import("../commands/sbom.ts")).runSbom,
  },
  {
    name: "scan",
    short: "Compare the packages of an image with known vulnerabilities",
    long: `Compares the packages in an image, or those that an SBOM lists, with the advisories that db import or db pull brought. No network is asked but for an image that is elsewhere. Shown is what can be mended, what is known to be exploited and what is high or critical; one line counts the rest.\n\nThe exit code is 0, or 1 where findings fail the gate of --fail-on, 2 for mistakes in the call, and 3 where the comparison is incomplete: without advisories, or with files that could not be read, nothing is called clean.\n\nIMAGE may also be sbom:FILE, CycloneDX or SPDX as JSON; a file's name that ends in .json needs no prefix. ${places}`,
    usage: "[OPTIONS] IMAGE|SBOM",
    flags: [
      flag("against", "", "string", "An older image or SBOM: shows what is new and what is fixed", { complete: "image" }),
      flag("all", "a", "bool", "Show every finding, also those that are suppressed"),
      flag("base", "", "string", "The image that it was built on, where that is not known: tells whose each finding is", { complete: "image" }),
      flag("comprehensive", "", "bool", "Compare files of the distribution's packages with upstream's advisories too"),
      flag(
        "exit-code",
        "",
        "int",
        "Exit with this code if anything is found that is not suppressed or left out (without it, or with 0, findings do not count)",
      ),
      flag(
        "fail-on",
        "",
        "stringArray",
        'Exit with 1 on findings: a severity or "any" (at least that), "unknown" (that no source rates), "fixable" and "new" (only those), "kev" (also those that are exploited); "secret", "misconfig"',
      ),
      flag("format", "f", "string", 'How to write the output ("table", "json", "sarif", "cyclonedx", "trivy-json", "cosign-vuln", "html")', {
        default: '"table"',
        complete: ["table", "json", "sarif", "cyclonedx", "trivy-json", "cosign-vuln", "html"],
      }),
      flag("ignore-file", "", "string", 'Findings that were looked at, a line each (default ".scanignore" where it is there)', { complete: "file" }),
      flag("ignore-unfixed", "", "bool", "Leave out what has no fixed version"),
      flag("ignorefile", "", "string", "The same as --ignore-file", { complete: "file", hidden: true }),
      flag("insecure-ignore-sct", "", "bool", "With --vex-identity, certificates need not be in a log of certificates"),
      flag("insecure-ignore-tlog", "", "bool", "With --vex-identity, statements need not be in a transparency log"),
      flag("output", "o", "string", "Write to a file instead of standard output", { complete: "file" }),
      platformFlag,
      flag("scanners", "", "stringArray", 'What to look for: "vuln" (default), "secret" and "misconfig", which read every layer', {
        complete: ["vuln", "secret", "misconfig"],
      }),
      flag("severity", "s", "stringArray", 'Show only these ("CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"), also what is not shown otherwise', {
        complete: ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"],
      }),
      flag("skip", "", "stringArray", 'Leave out packages of a kind ("npm", "pypi", "golang", ...)'),
      flag("skip-dirs", "", "stringArray", 'Leave out directories of the image (form: "/app/vendor", "**/testdata")'),
      flag("skip-files", "", "stringArray", "Leave out files of the image, likewise"),
      flag("trusted-root", "", "string", "With --vex-identity, file of the authorities and logs that are trusted (sigstore's trusted_root.json)", {
        complete: "file",
      }),
      flag("vex", "", "stringArray", "File with statements about vulnerabilities, OpenVEX or CycloneDX", { complete: "file" }),
      flag("vex-identity", "", "string", "Ask for OpenVEX that was attested for this identity (an address or a workflow)"),
      flag("vex-identity-regexp", "", "string", "The same, by a pattern for the whole identity"),
      flag("vex-issuer", "", "string", "With --vex-identity, who has to vouch for it (an OpenID provider's address)"),
      flag("vex-issuer-regexp", "", "string", "The same, by a pattern for the whole address"),
      flag("vex-key", "", "stringArray", "Ask the image's registry, and its base's, for OpenVEX that the holder of this public key attested", {
        complete: "file",
      }),
      flag("vex-out", "", "string", "Write what is suppressed to a file, as OpenVEX", { complete: "file" }),
    ],
    args: { min: 1, max: 1 },
    paths: ["scan"],
    elsewhere: scanWords,
    group: "plain",
    complete: "image",
    examples: [
      { text: "What is there to mend", command: "slipway scan app:1.0" },
      { text: "Fail a build on what is high and can be mended, and on what is exploited", command: "slipway scan --fail-on high,fixable,kev app:1.0" },
      { text: "What a change brings", command: "slipway scan --against app:1.0 --fail-on high,new app:1.1" },
      { text: "Secrets, also such as a later layer removes", command: "slipway scan --scanners secret --fail-on secret app:1.0" },
      {
        text: "Only what is worst and can be mended, with a code of one's own",
        command: "slipway scan --severity HIGH,CRITICAL --ignore-unfixed --exit-code 4 app:1.0",
      },
      { text: "For a code host", command: "slipway scan --format sarif -o scan.sarif app:1.0" },
    ],
    load: async () => (await import("../commands/scan.ts")).runScan,
  },
  {
    name: "import",
    short: "Bring advisories from files into the database",
    long: "Brings advisories from files into the database that scans compare with. A file is what OSV publishes for an ecosystem (all.zip), OSV records as JSON lines or as a directory, Debian's security tracker as JSON, Alpine's secdb, CISA's list of what is known to be exploited, each compressed or not, or what db export wrote.\n\nWhat the files bring replaces what the database had of the same ecosystems; files of one call are taken together. What db export wrote takes the place of all. A name that is no file here is a registry's reference: as db pull.",
    usage: "[OPTIONS] FILE|DIR|REFERENCE [FILE|DIR...]",
    flags: [flag("add", "", "bool", "Keep what there is of the same ecosystems"), flag("quiet", "q", "bool", "Print the digest only"), ...signerFlags],
    args: { min: 1 },
    paths: ["db import"],
    complete: "file",
    examples: [
      { text: "All of npm and of Go, as OSV publishes them", command: "slipway db import npm-all.zip go-all.zip" },
      { text: "Debian's tracker, and what is exploited", command: "slipway db import debian.json known_exploited_vulnerabilities.json" },
    ],
    load: async () => (await import("../commands/db.ts")).runDbImport,
  },
  {
    name: "export",
    short: "Write the database of advisories to a file or a registry",
    long: "Writes the whole database to a file, or with docker:// to a registry, where other machines pull it from. The same database gives the same bytes.",
    usage: "FILE|docker://REFERENCE|-",
    flags: [],
    args: { min: 1, max: 1 },
    paths: ["db export"],
    complete: "file",
    examples: [{ text: "For machines that reach a registry and nothing else", command: "slipway db export docker://registry.example/advisories:latest" }],
    load: async () => (await import("../commands/db.ts")).runDbExport,
  },
  {
    name: "pull",
    short: "Get the database of advisories from a registry",
    long: "Gets the database that db export put into a registry; only what is not here comes, and all of it is verified. A reference with a digest gets exactly that one. Without a reference, from where it came last.",
    usage: "[OPTIONS] [REFERENCE]",
    flags: [flag("quiet", "q", "bool", "Print the digest only"), ...signerFlags],
    args: { min: 0, max: 1 },
    paths: ["db pull"],
    examples: [
      {
        text: "Only what the security team signed (slipway sign --key security.key registry.example/advisories:latest)",
        command: "slipway db pull --key security.pub registry.example/advisories:latest",
      },
    ],
    load: async () => (await import("../commands/db.ts")).runDbPull,
  },
  {
    name: "status",
    short: "Show what the database of advisories has, and how old it is",
    usage: "[OPTIONS]",
    flags: [flag("format", "", "string", 'How to write the output ("json")', { complete: ["json"] })],
    args: { min: 0, max: 0 },
    paths: ["db status"],
    load: async () => (await import("../commands/db.ts")).runDbStatus,
  },
];

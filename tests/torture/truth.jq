# SPDX-License-Identifier: MIT
#
# What an output tells, to be compared with that of a run in which nothing failed. Slurped; $what is
# `facts` or `lacks`. Of a host only what has to do with `openssl` and with COMMAND is taken.

def name: tostring | sub(".*/"; "");

# Where there is a value in it, whichever of a list.
def filled:
    paths(type as $type | . != null and . != "" and ($type | IN("object", "array") | not))
    | map(strings // "[]") | join(".");

# Events, as `monitor` and `files` write them.
def events:
    .[] | select(.event_type? and ([.event_type] | inside(["start", "coverage"]) | not))
    | ([.event_type, .process, (.file // .library // .exe // "" | name), .function_name // "",
        .version // "", .outcome // "", .exit_code // "", .file_kind // ""]
       | map(tostring) | join(" ")) as $event
    | $event, "\($event): \(filled)";

def documents: .[] | select(.event_type? | not);

# A profile.
def profiles:
    documents | select(.profile_version?)
    | (.libraries[] | "library \(.name // .path | name)"),
      (.files_accessed[] | "file \(.path // .file | name)"),
      (.api_calls | keys[] | "call \(.)"),
      (.tls_sessions[]? | "session \(.version) \(.outcome)"),
      (.certificates[]? | "certificate \(.subject // .path)"),
      (.programs[]? | "program \(.exe // .path // . | name)"),
      "profile: \(del(.coverage) | filled)";

# A snapshot, or a list of libraries.
def inventories:
    documents
    | (select(.snapshot_version?) | .processes[] | select(.name == "openssl" or .process == "openssl")
       | (.libraries[]? | "library \(.)"), (.open_crypto_files[]? | "file \(.)"),
         (.certificates[]? | "certificate \(.subject // .path)"), "process"),
      (select(.libs_version?) | .libraries[] | select(any(.processes[]; .name == "openssl"))
       | "library \(.path)");

# A comparison of snapshots.
def differences:
    documents | select(.diff_version?) | .. | strings
    | select(test("libssl|libcrypto|torture")) | select(length < 100);

# A recording.
def recordings:
    documents | select(.recording_version?)
    | .nodes[] | .exe as $exe | .calls[] | "call \($exe) \(.name)";

# What it says that it could not have.
def lacks:
    .. | objects
    | select(.event_type? == "coverage" or has("processes_not_examined") or has("warnings"))
    | (.sources[]? | "\(.name) \(.hook) \(.attached) \(.reason)",
       (.name as $name | .lost // {} | to_entries[] | select(.value > 0) | "\($name) \(.key)")),
      (.not_seen[]? | "\(.what): \(.why)"),
      (.files[]? | tostring),
      (.warnings[]? | tostring),
      (select((.processes_not_examined // 0) > 0) | "processes not examined"),
      (select((.files_not_examined // 0) > 0) | "files not examined"),
      (select(has("method")) | "method \(.method) \(.reason)");

# A program of which a recording does not know which it is.
def strangers: documents | select(.recording_version?) | .nodes[] | select(.exe == "(unknown)") | .exe;

if $what == "facts" then events, profiles, inventories, differences, recordings else lacks, strangers end

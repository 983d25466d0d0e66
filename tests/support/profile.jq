# SPDX-License-Identifier: MIT
#
# What does not add up in the document of `profile`, a line each. Input: all documents of a run.

def sum(f): map(f) | add // 0;
def ordered(f): [.[] | f] | . == sort;

def before: map(select(.origin == "snapshot"));
def seen: map(select(.origin == "event"));

# Of tls or ssh: what holds of every list of sessions.
def sessions_of($is; $kind):
    (.["\($kind)_sessions_truncated"] // false) as $truncated |
    .["\($kind)_sessions"] as $all | ($all | seen) as $seen |
    ($is["\($kind)_handshakes"] - ($seen | sum(.count)) |
        . == 0 or . > 0 and $truncated | select(not) | "\($kind)_handshakes"),
    ($all | map(del(.count, .resumed_count, .first_time, .last_time, .duration_min_us,
        .duration_max_us)) | length == (unique | length) | select(not) | "a \($kind) session twice"),
    ($seen[] | (.count > 0 and .first_time <= .last_time and .duration_min_us <= .duration_max_us and
        (.resumed_count // 0) <= .count and .outcome and .peer and (has("negotiated") | not)) |
        select(not) | "a \($kind) session that cannot be"),
    ($all | before[] | (.count > 0 and .negotiated == "unknown (before start)" and .peer and
        ([.role] | inside(["client", "server"])) and
        (del(.role, .peer, .count, .origin, .negotiated, .ktls) | all(.[]; . == null))) |
        select(not) | "something is known of a \($kind) connection that was there before");

def of_profile:
    . as $profile | .statistics as $is | "profile of \(.process.pid)" as $name |
    (($is.files_accessed == (.files_accessed | length) | select(not) | "files_accessed"),
     ($is.file_accesses == (.files_accessed | sum(.access_count)) | select(not) | "file_accesses"),
     ($is.failed_accesses == (.files_accessed | sum(.failures)) | select(not) | "failed_accesses"),
     ($is.libraries_loaded == (.libraries | length) | select(not) | "libraries_loaded"),
     ($is.programs_executed == (.programs | length) | select(not) | "programs_executed"),
     ($is.api_calls_made == (.api_calls | sum(.)) | select(not) | "api_calls_made"),
     (sessions_of($is; "tls"), sessions_of($is; "ssh")),
     ((.tls_sessions + .ssh_sessions | before | sum(.count)) as $n |
        (if .tls_sessions_truncated or .ssh_sessions_truncated then $is.connections_before >= $n
         else $is.connections_before == $n end) | select(not) | "connections_before"),
     ((.api_calls, .algorithms | keys_unsorted | . == unique) | select(not) |
        "calls or algorithms not by name"),
     ((.algorithms[] | .count > 0 and (.functions | length > 0 and . == unique)) | select(not) |
        "an algorithm of no function"),
     ($is.processes == (.processes // [1] | length) | select(not) | "processes"),
     (.processes | select(.) | sum(.events) == $is.total_events | select(not) | "events of processes"),
     ($is.total_events >= $is.programs_executed + (.files_accessed | map(select(.origin == "event")) |
        sum(.access_count + .failures)) | select(not) | "total_events"),
     ((.files_accessed | map(.path) | . == unique) | select(not) | "files not by path, each once"),
     ((.libraries | map(.path) | . == unique) | select(not) | "libraries not by path, each once"),
     ((.processes // [] | map([.pid, .start_time]) | length == (unique | length)) | select(not) |
        "a process twice"),
     ((.programs | ordered(.at)) | select(not) | "programs not in order of time"),
     (.files_accessed[] |
        ((.first_access <= .last_access) | select(not) | "first access after the last"),
        ((.access_count + .failures > 0) | select(not) | "a file never accessed"),
        (((.failures > 0) == has("last_error")) | select(not) | "last_error without failure"),
        (((.access_count > 0) == (.mode != null)) | select(not) | "mode without access")),
     (.findings | map(.severity | {critical: 0, high: 1, medium: 2, low: 3, info: 4}[.]) |
        . == sort | select(not) | "findings: not the worst first"),
     (.process.start_time as $start | .libraries[] | .load_time >= $start | select(not) |
        "a library before its process")) |
    "\($name): \(.)";

def of_coverage:
    (.final | select(not) | "coverage: not final"),
    (.sources[] |
        ((.seen == .rejected + .sent + .lost.ring_full and
          .sent == .malformed + .filtered + .throttled + .written + .pending +
                   .lost.sink_failed + .lost.left_at_exit and .malformed == 0) |
         select(not) | "coverage: a source does not add up"));

if length != 1 then "\(length) documents"
else .[0] |
    (if has("profiles") then
        (.profiles[] | of_profile),
        ((.profiles | length) > 1 | select(not) | "a list of one"),
        (.profiles as $profiles | .summary | to_entries[] | . as $sum |
            select(.value != ($profiles | sum(.statistics[$sum.key]))) | "summary: \(.key)")
     else of_profile end),
    (.coverage | of_coverage)
end

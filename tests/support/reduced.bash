# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What programs for old kernels tell, compared with what the triggers of the sources print. Needs
# support/trace.bash.

# Fields that are read from /proc when the event is seen.
FROM_PROC='["dev", "inode", "real_path", "file", "exe", "cwd", "argv", "cmdline", "truncated", "core_dumped"]'

# fits EXPECTED EVENTS: the tool reported each event that the trigger printed and no other, and of
# the fields above each as it is, or not, and said so.
fits()
{
    jq -cS -s 'map(select(.event_type)) | sort_by(.pid, .thread)[] | del(.case, .min_ms, .max_ms)' \
        "$1" >want
    [ -s want ]
    events "$2" | jq -cS -s 'sort_by(.pid, .thread)[]' >got
    same <(jq -c "delpaths($FROM_PROC | map([.]))" want) <(jq -c "delpaths($FROM_PROC | map([.]))" got)
    jq -cn --slurpfile want want --slurpfile got got '
        range($want | length) | [$want[.], $got[.]] | . as [$w, $g] |
        select(($g.dev | . != null and . != $w.dev) or ($g.inode | . != null and . != $w.inode) or
               ($g.core_dumped and ($w.core_dumped | not)) or
               ($g.truncated != true and
                ([$w, $g] | map({file, exe, cwd, argv: (.argv // []), cmdline: (.cmdline // "")}) |
                    .[0] != .[1])))' >wrong
    [ ! -s wrong ] || { echo "not so:" >&2; head -n 5 wrong >&2; return 1; }
}

# fits_exits EXPECTED EVENTS: the same for process_exit.
fits_exits()
{
    # Since Linux 5.18 the last thread's code counts, before the first one's. Here it is the first's.
    jq -c 'if .case == "last is another" and .event_type then .exit_code = 9 else . end' "$1" \
        >older
    # The new parent of one that ends at once may not be told; the old one is.
    for file in older "$2"; do
        jq -c --slurpfile all "$1" '.pid as $pid |
            if any($all[]; .case == "orphan" and .pid == $pid) then .ppid = 0 else . end' \
            "$file" >"$file.orphan"
    done
    fits older.orphan "$2.orphan"
}

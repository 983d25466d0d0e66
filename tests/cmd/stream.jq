# SPDX-License-Identifier: MIT
#
# What holds for every stream; prints a line for each fault. Input: all events as one array, that of
# json-array or the objects of the other formats (jq -s).

def micros: (.[0:19] + "Z" | fromdateiso8601) * 1000000 + (.[20:26] | tonumber);

# The two identities of src/pipeline/coverage.h, for one source.
def identities:
    .name as $name
    | (select(.seen != .rejected + .lost.ring_full + .sent)
       | "\($name): seen != rejected + lost.ring_full + sent: \(tojson)"),
      (select(.sent != .malformed + .filtered + .throttled + .written + .pending
                       + .lost.sink_failed + .lost.left_at_exit)
       | "\($name): sent != the sum of what became of it: \(tojson)"),
      (select(.malformed != 0) | "\($name): \(.malformed) malformed records");

def inversions:
    . as $all | [range(1; length)
                 | select($all[.].timestamp < $all[. - 1].timestamp)
                 | [$all[. - 1], $all[.]]];

(if length == 1 and (.[0] | type) == "array" then .[0] else . end)
| . as $all
| ($all | map(select(.event_type != "coverage" and .event_type != "start"))) as $events
| (if length < 2 then "fewer than two lines" else empty end),
  (select(.[0].event_type != "start") | "the first line is no start"),
  (select(map(select(.event_type == "start")) | length != 1) | "not exactly one start"),
  (select(.[-1].event_type != "coverage") | "the last line is no coverage"),
  (select(map(select(.event_type == "coverage" and .final)) | length != 1)
   | "not exactly one final coverage"),
  (.[] | select(.event_type == "coverage") | .sources[] | identities),
  (.[-1] | select(.event_type == "coverage") | .sources[] | . as $source
   | ($events | map(select(.event_type == $source.name)) | length)
   | select(. != $source.written)
   | "\($source.name): \(.) in the stream, \($source.written) written according to coverage"),
  ($all[] | select(.timestamp | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$") | not)
   | "not a timestamp: \(.timestamp)"),
  ($events | group_by(.pid)[] | inversions[]
   | "out of order within process \(.[0].pid): \(.[0].timestamp) \(.[1].timestamp)"),
  ($events | inversions[] | select((.[0].timestamp | micros) - (.[1].timestamp | micros) > 1000)
   | "out of order by more than 1 ms: \(.[0].timestamp) \(.[1].timestamp)")

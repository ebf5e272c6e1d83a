// MARKS: how often each rare branch of a machine ran: a table of counters that is passed in with the machine.
//
//   core/*.cpp (STATEFS_MARK) -> MARKS <- sim/world.h (one table for all its machines), campaigns (which was never hit)
//
// The names are a closed list, resolved when the code is compiled: one that is not in `mark_table` does not compile, and
// a mark costs one increment. Whoever makes a machine may hand it a table that outlives it; one that is given none has
// one of its own, which nobody reads. Nothing that a machine does depends on a mark.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace statefs {

struct MarkName {
  std::string_view name;     // `area.what`
  bool rare = false;         // swarm seeds need not hit it; `meaning` says why they do not
  std::string_view meaning;
};

// In the order of areas as a request meets them, and in each in the order of the code.
inline constexpr MarkName mark_table[] = {
    {"server.shutting_down", true, "a stream was refused because the server stops: a world's server does not stop"},
    {"server.connections_full", false, "a stream was refused: all connections are taken"},
    {"server.half_open_full", false, "a stream was refused: too many are in their handshake"},
    {"server.not_enrolled", false, "a good handshake of a key that is not enrolled"},
    {"server.peer_limit", false, "a good handshake of a peer that has all its connections"},
    {"server.local", false, "a program of the device came in by the local door"},
    {"server.unnamed_uid", false, "at the local door, a uid that the policy does not name"},
    {"server.uid_limit", true, "a uid has all the connections it may have: a local client has one, and leaves it before the next"},
    {"server.handshake_waits", false, "a handshake message waits for the next wake-up: the budget of this one is used"},
    {"server.place_was_queued", false, "a connection was over before its handshake message had its turn"},
    {"server.timers_rebuilt", false, "short connections left too many timers"},
    {"server.store_failed", false, "the store failed: every connection closes"},
    {"server.reloaded", false, "another policy with connections present"},
    {"server.reload_expels", false, "a connection closes because its peer is no longer enrolled"},
    {"server.shut_down", true, "the server stops with connections present: a world's server does not stop"},

    {"session.handshake_failed", false, "a handshake message of a wrong size, or one that does not authenticate"},
    {"session.damaged", false, "a record that does not authenticate"},
    {"session.nonces_used_up", true, "2^32 records in one direction: too many for any run"},
    {"session.stalled", false, "output is full: the connection is not read"},
    {"session.ran_again", false, "a stalled connection goes on, since its output has room"},
    {"session.unknown_op", false, "a frame of an op that is none"},
    {"session.malformed", false, "a frame that is no request"},
    {"session.before_hello", false, "a request before HELLO"},
    {"session.foreign_version", false, "HELLO with a version that is not ours"},
    {"session.ended_mid_message", false, "the stream ended inside a message or a frame"},
    {"session.answers_dropped", false, "a connection closed with answers that nobody will get"},
    {"session.keepalive", false, "nothing was sent for a while: a keepalive"},
    {"session.handshake_overdue", false, "no handshake in time"},
    {"session.greeting_overdue", true, "no HELLO in time: a client sends it with the end of its handshake"},
    {"session.peer_dead", false, "no sign of life in time, or nothing taken of what was sent"},
    {"session.drain_overdue", true, "what was answered last was not taken in time: the peer must stop reading just then"},
    {"session.aged", false, "a connection lived as long as one may"},

    {"hello.differs", false, "a client holds a head that this store does not have"},
    {"hello.trimmed", false, "a client holds a head that is too old to be compared"},

    {"slots.replay", false, "a mutation that ran before is answered as it was"},
    {"slots.replay_of_refusal", false, "a refusal is answered again as it was"},
    {"slots.in_progress", false, "a mutation again whose commit is under way"},
    {"slots.false_retry", false, "a used sequence with another request"},
    {"slots.too_old", false, "a sequence before the last"},
    {"slots.gap", false, "a sequence beyond the next"},
    {"slots.unknown", false, "a mutation on a session that is not there"},
    {"slots.fenced", false, "a mutation of an older generation"},

    {"registrar.rate_refused", false, "a key has opened and resumed too often: OVERLOADED"},
    {"registrar.log_full", false, "a session event that cannot be recorded: AUDIT_UNAVAILABLE"},
    {"registrar.open_again", false, "OPEN of a live instance acts as RESUME"},
    {"registrar.open_of_ended", false, "OPEN of an instance that has ended"},
    {"registrar.evicts", false, "OPEN evicts the least recently used session"},
    {"registrar.session_limit", false, "OPEN finds every session connected"},
    {"registrar.fences", false, "a session moves to another connection while the old one is still there"},
    {"registrar.stale_generation", false, "RESUME or OPEN with a generation that is not higher"},
    {"registrar.resume_unknown", false, "RESUME of an instance that nobody knows"},
    {"registrar.resume_of_ended", false, "RESUME of a session that was closed or evicted"},
    {"registrar.closed", false, "CLOSE of a live session"},
    {"registrar.close_again", false, "CLOSE of an ended session: the same answer again"},
    {"registrar.close_unknown", false, "CLOSE of a session that nobody knows"},
    {"registrar.close_fenced", false, "CLOSE by an older generation"},
    {"registrar.outcome_applied", false, "OUTCOME of what ran"},
    {"registrar.outcome_refused", false, "OUTCOME of what was refused"},
    {"registrar.outcome_pending", false, "OUTCOME of what a live session has not seen"},
    {"registrar.outcome_never", true, "OUTCOME of what an ended session never ran: as for ledger.learned_executed"},
    {"registrar.outcome_beyond_horizon", false, "OUTCOME of what is not known any more"},

    {"mutation.audit_unavailable", false, "a mutation that cannot be recorded"},
    {"mutation.store_failed", false, "a mutation after the store failed"},
    {"mutation.no_space", false, "a PUT that the store has no room for"},
    {"mutation.invalid_key", false, "a mutation of bytes that are no key"},
    {"mutation.denied", false, "a mutation that the policy denies"},
    {"mutation.condition_denied", false, "a condition by a peer that may not read the key"},
    {"mutation.value_too_large", false, "a value over its limit was skipped"},
    {"mutation.not_found", false, "DELETE of what is not there"},
    {"mutation.absence_untold", false, "DELETE of what is not there by a peer that may not know: OK"},
    {"mutation.conflict", false, "an expected revision that is not the one"},
    {"mutation.quota_exceeded", false, "a PUT over the quota of its writer"},
    {"mutation.changes_owner", false, "an entry that another peer wrote last"},

    {"mutation.staged", false, "a PUT commits a stage"},

    {"stage.denied", false, "a chunk for a key that the policy denies"},
    {"stage.too_large", false, "a total or a chunk over its limit"},
    {"stage.store_failed", true, "a chunk after the store failed: every connection closes in the same wake-up"},
    {"staging.another_value", false, "a later chunk names another key or size than its stage"},
    {"staging.begins_anew", false, "the first chunk names another key or size than its stage"},
    {"staging.unknown", false, "a later chunk of a stage that is not there"},
    {"staging.gap", false, "a chunk that begins behind the end of what is held"},
    {"staging.chunk_again", false, "bytes of a stage that are there already"},
    {"staging.other_bytes", false, "other bytes where a stage has some"},
    {"staging.no_room", false, "a peer has all its stages, and goes on with each"},
    {"staging.yields", false, "an idle stage gives way to another of its peer"},
    {"staging.no_room_in_all", true, "stages of all have no room: more peers than can be enrolled"},
    {"staging.expires", false, "a stage that nobody goes on with is dropped"},
    {"staging.expelled", false, "a peer that is no longer enrolled loses its stages"},
    {"staging.put_of_none", false, "a PUT of a stage that is not there"},
    {"staging.put_of_part", false, "a PUT of a stage that is incomplete, or another key's or size's"},
    {"staging.digest_mismatch", false, "a PUT of a stage that holds other bytes"},

    {"read.denied", false, "a GET or LIST that the policy denies"},
    {"read.store_failed", false, "a GET or LIST after the store failed"},
    {"read.revision_changed", false, "GET pinned to a revision that is no longer there"},
    {"read.part_of_value", false, "GET of a part of a value"},
    {"read.list_continues", false, "LIST from a cursor"},
    {"read.list_has_more", false, "LIST stops at its limit and says so"},
    {"read.list_seeks_past", false, "LIST skips a subtree that is denied"},
    {"sync.epoch_changed", false, "SYNC of another epoch"},
    {"hello.store_refused", true, "HELLO to a store that was damaged when it was opened: no world damages a store so"},
    {"sync.store_failed", false, "SYNC after the store failed"},

    {"tally.refusals", false, "refused reads become one record with a count"},
    {"tally.damage", false, "connections ended by damage become one record with a count"},
    {"tally.handshakes", false, "failed handshakes become one record with a count"},
    {"tally.no_room", false, "a count waits because the log is full"},
    {"tally.policy_changed", false, "another policy is recorded"},

    {"store.log_full", false, "a record that has no room in the log"},
    {"store.keys_full", false, "a PUT of one key more than the store may hold"},
    {"store.values_full", false, "a PUT of more bytes than the store may hold"},
    {"store.refuses_failed", false, "a record after the store failed"},
    {"store.flushes_by_itself", false, "a flush that nobody asked for: its time had come"},
    {"store.commit_waits_for_flush", false, "a commit while a flush is under way"},
    {"store.reopened", false, "the store begins another epoch on what survived"},

    {"recovery.unreadable", false, "a read of recovery failed"},
    {"recovery.superblocks_differ", false, "one superblock was older or damaged"},
    {"recovery.mark_damaged", false, "one mark was damaged"},
    {"recovery.cut", false, "the log ended in a record that was torn"},

    {"journal.formats", false, "an empty extent becomes a store"},
    {"journal.mends_superblock", false, "a superblock is written again before the store opens"},
    {"journal.refuses", false, "the extent holds nothing that may be served"},
    {"journal.opens_read_only", true, "the log has no room even for an epoch record: crash after crash with a stalled exporter"},
    {"journal.leaves_read_only", true, "an exporter or a snapshot has made room for the epoch record: it must have been opened so"},
    {"journal.snapshot_begins", false, "half of the log is used"},
    {"journal.snapshot_done", false, "a snapshot is named by both superblocks"},
    {"journal.snapshot_waits", true, "a snapshot waits for what it may have seen to be durable: it ends in the middle of a commit"},
    {"journal.flushes_early", true, "much was appended since the last flush: a world writes less than that between two flushes"},
    {"journal.marks_for_room", true, "marks are written at once, as the log is full of what was exported: after a long stall"},
    {"journal.idle_mark", false, "a mark is written although nothing is to be flushed"},
    {"journal.replay_memory_full", true, "a session that the snapshots have no room for: a world's disk has room"},
    {"journal.epoch_used_up", true, "2^40 records in one epoch: too many for any run"},
    {"journal.disk_failed", false, "a write or a flush failed"},

    {"rejoin.rolled_back", false, "the store no longer has what it called durable: its session is left behind"},
    {"rejoin.open_again", false, "OPEN once more: the first one was not answered"},
    {"rejoin.joined", false, "OPEN or RESUME, and the table is not behind"},
    {"rejoin.behind", false, "the server's table is behind what was answered: CLOSE"},
    {"rejoin.closed", false, "the session that was behind is closed: on in a new one"},
    {"rejoin.close_unknown", true, "the session that was behind is gone at its CLOSE: the server must crash in between"},
    {"rejoin.close_fenced", true, "the session that was behind was resumed elsewhere: only by another client of its key and instance"},
    {"rejoin.asks_outcome", true, "the session is gone, and OUTCOME is asked: as for registrar.resume_unknown"},
    {"rejoin.instance_unknown", true, "an instance whose OPEN was not answered has ended: somebody else must have closed it"},
    {"rejoin.fenced", true, "the generation was not high enough: nobody else raises the one of a client of this program"},
    {"rejoin.waits", false, "the server cannot take it now: again after a while"},
    {"rejoin.lost_in_the_middle", true, "a session in use was fenced or forgotten: only by another client of its key and instance"},
    {"rejoin.impossible", true, "an answer that breaks a promise: no server of this program gives one"},

    {"ledger.found_executed", false, "a call in flight when its stream broke had run"},
    {"ledger.found_not_executed", false, "a call in flight when its stream broke had not run: sent again"},
    {"ledger.learned_executed", true, "OUTCOME says that it ran: a client asks where its session is gone, and that is beyond the horizon"},
    {"ledger.learned_never", true, "OUTCOME says that it never ran: as for ledger.learned_executed"},
    {"ledger.outcome_unknown", true, "OUTCOME cannot say: as for registrar.resume_unknown"},
    {"ledger.lost", false, "a write that was answered is gone"},
    {"ledger.perhaps_lost", true, "a write that was answered may be gone: as for registrar.resume_unknown"},
    {"ledger.slot_freed", false, "a mutation was not taken: its slot is free, its sequence is not used"},
    {"ledger.full", true, "too many answered writes wait for durability: 4096 of one client"},
    {"calls.queue_full", true, "more calls than a client may hold: 1024"},
    {"calls.too_large", true, "a call that fits no frame: no workload makes one"},
    {"calls.unsent_expired", false, "a deadline passed before the call was sent"},
    {"calls.read_expired", false, "a deadline passed with a read in flight"},
    {"calls.mutation_expired", false, "a deadline passed with a mutation in flight"},
    {"calls.read_again", false, "a read that a broken stream cut goes out again"},
    {"client.late_mutation", false, "an answer to a mutation that had expired"},
    {"client.late_read", false, "an answer to a read that had expired"},
    {"client.sync_covers_lost", false, "a SYNC that covers a lost write fails whatever the server says"},
    {"client.own_sync", true, "a SYNC of the client's own: 2048 writes that nobody synced"},
    {"client.keepalive", false, "nothing was sent for a while: a keepalive"},
    {"disconnect.stream_ended", false, "the stream ended after HELLO"},
    {"disconnect.no_stream", false, "the stream could not be opened"},
    {"disconnect.handshake_ended", false, "the stream ended in the handshake"},
    {"disconnect.handshake_failed", false, "the server answered the handshake wrongly"},
    {"disconnect.not_admitted", false, "the stream ended right after the handshake"},
    {"disconnect.refused_version", true, "the server speaks another version: no such server exists yet"},
    {"disconnect.store_refused", true, "the server's store was damaged when it was opened: no world damages a store so"},
    {"disconnect.protocol_error", true, "what came is no answer: no server of this program sends such"},
    {"disconnect.damaged", false, "a record of the server's did not authenticate"},
    {"disconnect.timed_out", false, "no handshake, or no sign of life, in time"},
};
inline constexpr std::size_t mark_count = std::size(mark_table);

// The place of a name in the table; mark_count where it is not there.
constexpr std::size_t mark_named(std::string_view name) {
  std::size_t at = 0;
  while (at < mark_count && mark_table[at].name != name) ++at;
  return at;
}

// Counters, one for each name. Copying one copies the counts.
class Marks {
 public:
  void hit(std::size_t mark) { ++counts_[mark]; }
  [[nodiscard]] std::uint64_t count(std::size_t mark) const { return counts_[mark]; }
  // Adds what another run counted.
  void add(const Marks& other) {
    for (std::size_t mark = 0; mark < mark_count; ++mark) counts_[mark] += other.counts_[mark];
  }
  friend bool operator==(const Marks&, const Marks&) = default;

 private:
  std::array<std::uint64_t, mark_count> counts_{};
};

}  // namespace statefs

// Counts in `table`, which is a Marks.
#define STATEFS_MARK_IN(table, name)                                                                     \
  do {                                                                                                   \
    constexpr std::size_t statefs_mark_place = ::statefs::mark_named(name);                              \
    static_assert(statefs_mark_place < ::statefs::mark_count, "core/marks.h has no mark of that name"); \
    (table).hit(statefs_mark_place);                                                                     \
  } while (false)
// Counts in `marks_`, which a machine keeps as a private member.
#define STATEFS_MARK(name) STATEFS_MARK_IN(marks_, name)

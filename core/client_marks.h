// CLIENT MARKS: the marks of a client.
//
//   mark_name.h -> CLIENT MARKS -> marks.h (which puts them together)
#pragma once

#include "core/mark_name.h"

namespace statefs {

// In the order of areas as a request meets them, and in each in the order of the code.
inline constexpr MarkName client_marks[] = {
    {"rejoin.rolled_back", false, "the store no longer has what it called durable: its session is left behind"},
    {"rejoin.open_again", false, "OPEN once more: the first one was not answered"},
    {"rejoin.joined", false, "OPEN or RESUME, and the table is not behind"},
    {"rejoin.behind", false, "the server's table is behind what was answered: CLOSE"},
    {"rejoin.closed", false, "the session that was behind is closed: on in a new one"},
    {"rejoin.covered", false, "a session is left whose writes were told to be durable: a head now shows it"},
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
    {"client.own_sync", true, "a SYNC of the client's own: 2048 writes that nobody synced, or writes that a table alone called durable"},
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

}  // namespace statefs

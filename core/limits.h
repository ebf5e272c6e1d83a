// LIMITS: every bound of the system has its name here, and the relations between bounds are static_asserts.
//
// Sizes are bytes, counts are elements. `-DSTATEFS_SMALL_DEVICE=ON` selects the constants for a device with
// little memory; the code is the same. What an operator may set is in `ServerLimits`; it starts at these values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace statefs::limits {

// Keys and values (docs/PROTOCOL.md, "Limits").
inline constexpr std::size_t key_size_max = 255;
inline constexpr std::size_t value_size_max = 64 * 1024;               // of one request
inline constexpr std::size_t total_value_size_ceiling = 16u << 20;     // of a staged value, highest setting
inline constexpr std::size_t list_entries_max = 256;                   // of one page
inline constexpr std::size_t list_page_size_max = 64 * 1024;           // of the entries of one page
inline constexpr std::size_t chunk_size_max = 64 * 1024;               // of one staged chunk
inline constexpr Duration stage_idle_max = seconds(60);                // a stage goes after so long without a chunk ...
inline constexpr Duration stage_yield_after = seconds(5);              // ... and after so long where its own peer needs its room

// Records and frames.
inline constexpr std::size_t noise_message_size_max = 65'535;
inline constexpr std::size_t aead_tag_size = 16;
inline constexpr std::size_t record_plaintext_size_max = noise_message_size_max - aead_tag_size;
inline constexpr std::size_t record_length_size = 2;
inline constexpr std::size_t frame_header_size = 16;
inline constexpr std::size_t frame_body_size_max = 68 * 1024;
inline constexpr std::size_t frame_size_max = frame_header_size + frame_body_size_max;
inline constexpr std::uint64_t channel_records_max = std::uint64_t{1} << 32;

// Sessions: a key can fill its own replay memory and no other's. One session is about 1 KiB here, 0.5 KiB on a small device.
inline constexpr std::size_t ended_sessions_per_key = 16;      // whose outcome can still be asked for
inline constexpr std::uint64_t session_events_burst = 512;         // OPEN, RESUME, CLOSE and evictions of one key at once ...
inline constexpr std::uint64_t session_events_per_second = 128;    // ... and in the long run
inline constexpr std::size_t session_instance_size = 16;
inline constexpr std::size_t sessions_per_key_least = 4;           // that a small state file is left with by default

// Rates of one peer (docs/CONFIGURATION.md): what it may be refused before it is not read, and how settings become bursts.
inline constexpr std::uint64_t refusals_per_second = 256;
inline constexpr std::uint64_t refusals_burst = 1'024;
inline constexpr std::uint64_t rate_burst_seconds = 4;
inline constexpr std::uint64_t rate_per_second_max = std::uint64_t{1} << 30;   // of a setting
inline constexpr std::uint32_t retry_after_ms_max = 60'000;        // that an answer names

// Policy.
inline constexpr std::size_t rules_per_peer_max = 128;
inline constexpr std::size_t alias_size_max = 32;

#ifdef STATEFS_SMALL_DEVICE
inline constexpr std::size_t enrolled_peers_max = 8;
inline constexpr std::size_t slots_per_session = 8;
inline constexpr std::size_t sessions_per_key = 4;
inline constexpr std::size_t connections_max = 16;
inline constexpr std::size_t connections_per_peer_max = 8;
inline constexpr std::size_t half_open_max = 4;
inline constexpr std::size_t local_uids_max = 4;
inline constexpr std::size_t local_connections_max = 8;
inline constexpr std::size_t local_connections_per_uid_max = 4;
inline constexpr std::size_t total_value_size_default = 256 * 1024;
inline constexpr std::size_t staged_values_per_peer = 2;
inline constexpr std::size_t stages_per_peer_max = 4;
inline constexpr std::size_t store_value_bytes_default = 4u << 20;
inline constexpr std::size_t store_keys_default = 4'096;
inline constexpr std::size_t journal_keys_usual = 4'096;
inline constexpr std::size_t audit_ring_size = 256 * 1024;
inline constexpr std::size_t output_size_max = 160 * 1024;             // of one connection,
inline constexpr std::size_t waiting_size_per_peer_max = 1u << 20;     // of all of one peer, with input that waits,
inline constexpr std::size_t waiting_size_max = 4u << 20;              // and of all (core/waiting.h)
inline constexpr std::size_t journal_pending_size = 1u << 20;           // appended and not yet durable, twice
inline constexpr std::size_t journal_read_size = 128 * 1024;           // of one read of recovery
inline constexpr std::size_t snapshot_chunk_size = 64 * 1024;          // one step of a snapshot, and one item
inline constexpr std::size_t heads_kept = 128;                         // durable heads in memory that a client's can be compared with
#else
inline constexpr std::size_t enrolled_peers_max = 64;
inline constexpr std::size_t slots_per_session = 16;             // mutations in flight on one connection
inline constexpr std::size_t sessions_per_key = 256;             // connections of one key that write
inline constexpr std::size_t connections_max = 2'048;
inline constexpr std::size_t connections_per_peer_max = 1'024;
inline constexpr std::size_t half_open_max = 256;
inline constexpr std::size_t local_uids_max = 16;                // that a policy names
inline constexpr std::size_t local_connections_max = 256;        // of the local door, beside connections_max
inline constexpr std::size_t local_connections_per_uid_max = 128;
inline constexpr std::size_t total_value_size_default = 1u << 20;
inline constexpr std::size_t staged_values_per_peer = 4;         // of the largest size, on their way in at the same time
inline constexpr std::size_t stages_per_peer_max = 16;           // however small
inline constexpr std::size_t store_value_bytes_default = 64u << 20;
inline constexpr std::size_t store_keys_default = 1'048'576;
inline constexpr std::size_t journal_keys_usual = 65'536;        // of a state file: fewer are told; more, where there is room
inline constexpr std::size_t audit_ring_size = 8u << 20;
inline constexpr std::size_t output_size_max = 512 * 1024;             // of one connection,
inline constexpr std::size_t waiting_size_per_peer_max = 16u << 20;    // of all of one peer, with input that waits,
inline constexpr std::size_t waiting_size_max = 64u << 20;             // and of all (core/waiting.h)
inline constexpr std::size_t journal_pending_size = 8u << 20;          // appended and not yet durable, twice
inline constexpr std::size_t journal_read_size = 1u << 20;             // of one read of recovery
inline constexpr std::size_t snapshot_chunk_size = 256 * 1024;         // one step of a snapshot, and one item
inline constexpr std::size_t heads_kept = 4'096;                       // durable heads in memory that a client's can be compared with
#endif

inline constexpr std::size_t staging_owners_max = enrolled_peers_max + local_uids_max;  // each with room of its own
inline constexpr std::size_t slot_owners_max = enrolled_peers_max + local_uids_max;     // each with replay memory of its own
inline constexpr std::size_t rated_peers_max = enrolled_peers_max + local_uids_max;     // each with rates of its own
inline constexpr std::size_t audit_record_size_max = 768;
inline constexpr std::size_t audit_reserve_size = 32 * 1024;           // of the audit ring, for the store's own records

// The journal (docs/JOURNAL.md).
inline constexpr std::size_t log_record_size_max = total_value_size_ceiling + 1024;  // with the largest value
inline constexpr std::size_t key_size_mean = 64;                       // of one peer's keys in a state file; more is taken off its bytes
inline constexpr std::size_t epochs_kept = 64;                         // that a client's head can be compared with
inline constexpr std::uint64_t journal_ring_size_max = 256u << 20;     // of the log in its extent: a quarter of it, and no more than this
inline constexpr std::uint64_t journal_extent_size_max = std::uint64_t{1} << 48;
inline constexpr Duration mark_interval = seconds(1);                  // an idle journal marks what is durable after at most this

// One wake-up.
inline constexpr std::size_t handshakes_per_wakeup = 8;                // handshake messages, after all established connections
inline constexpr std::size_t receive_size_max = 256 * 1024;            // handed to one receive() call
inline constexpr std::size_t short_receive_size = 16 * 1024;           // of a stranger, or where too much waits
inline constexpr std::size_t audit_records_per_export = 4'096;

// A client.
inline constexpr std::size_t client_calls_max = 1'024;                 // queued and in flight together
inline constexpr std::size_t chunks_in_flight_max = 8;                 // of one upload, or ranges of one download
inline constexpr std::size_t transfer_restarts_max = 16;               // of one of them, without progress in between
inline constexpr std::size_t client_unsynced_max = 4'096;              // writes not known durable, or lost and not taken: beyond it none is sent

// Time.
inline constexpr Duration connect_timeout = seconds(10);                // of a client, for its stream to open
inline constexpr Duration handshake_timeout = seconds(10);
inline constexpr Duration keepalive_interval = seconds(15);
inline constexpr Duration dead_peer_timeout = seconds(45);
inline constexpr Duration aggregate_interval = seconds(1);             // between two records of failed handshakes
inline constexpr Duration flush_interval = seconds(1);                 // an answered commit is durable after at most this and one flush
inline constexpr Duration drain_timeout = seconds(5);
inline constexpr Duration connection_age_max = seconds(24 * 60 * 60);
inline constexpr Duration reconnect_backoff_min = milliseconds(50);
inline constexpr Duration reconnect_backoff_max = seconds(10);

static_assert(record_plaintext_size_max == 65'519);
static_assert(frame_body_size_max >= value_size_max + key_size_max + 256, "a full PUT fits a frame with its prefix");
static_assert(frame_body_size_max >= list_page_size_max + 256, "a full LIST page fits a frame");
static_assert(frame_body_size_max >= chunk_size_max + key_size_max + 256, "a full STAGE chunk fits a frame");
static_assert(output_size_max >= 2 * frame_size_max, "one answer fits while another waits to be sent");
static_assert(output_size_max <= waiting_size_per_peer_max, "one connection can have what it may");
static_assert(waiting_size_per_peer_max < waiting_size_max, "one peer's answers leave others room");
static_assert(short_receive_size <= receive_size_max);
static_assert(connections_per_peer_max < connections_max, "one peer cannot hold every connection");
static_assert(half_open_max < connections_max, "handshakes cannot hold every connection");
static_assert(local_connections_per_uid_max < local_connections_max, "one uid cannot hold every local connection");
static_assert(local_connections_per_uid_max <= sessions_per_key, "each local connection can have a session");
static_assert(keepalive_interval.ns * 2 < dead_peer_timeout.ns, "one lost keepalive does not kill a peer");
static_assert(sessions_per_key_least <= sessions_per_key);
static_assert(total_value_size_default <= total_value_size_ceiling);
static_assert(staged_values_per_peer >= 1 && stages_per_peer_max >= staged_values_per_peer, "a value of the largest size can be staged");
static_assert(stage_yield_after.ns < stage_idle_max.ns);
static_assert(rate_per_second_max * rate_burst_seconds <= std::uint64_t{1} << 32, "a burst of the highest setting fits a bucket (core/rate.h)");
static_assert(refusals_burst >= 80, "every call that one client has under way may be refused at once");
static_assert(journal_pending_size >= 2 * (total_value_size_default + 1024), "the largest record fits while another is written");
static_assert(audit_ring_size >= 2 * audit_reserve_size, "room for the store's own records beside a peer's");

}  // namespace statefs::limits

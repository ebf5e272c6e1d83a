// CONFIG TEXT: the daemon's configuration file (TOML). Its names mirror the flags of `dsoftbusd`; a flag given wins.
//
//   bytes of a file -> CONFIG TEXT -> dsoftbusd
//
//   listen = "127.0.0.1:7070"
//   local = "/run/dsoftbusd.sock"        # left out: no local door
//   identity = "/etc/dsoftbusd/identity"
//   peers = "/etc/dsoftbusd/peers"
//   policy = "/etc/dsoftbusd/policy.toml"
//   state = "memory"                     # or a path
//   state_size = "256MiB"                # of a file that has to be made
//   durability = "sync"                  # or "commit"
//   audit = "-"                          # or a path
//
//   [store]                              # what the quotas of all peers must fit into
//   value_bytes = "64MiB"              # left out, these two are the usual, or what a smaller state file has room for
//   keys = 65536
//
//   [limits]                             # each one may be left out
//   connections = 2048                   # in all; per peer; and of those not yet authenticated
//   connections_per_peer = 1024
//   half_open = 256
//   local_connections = 256              # at the local door, in all, and of one uid
//   local_connections_per_uid = 128
//   sessions_per_key = 256               # of one peer or uid; left out: fewer in a small state file, which has room for so many of each
//   handshakes_per_wakeup = 8
//   output_bytes = "512KiB"              # waiting to be sent on one connection
//   waiting_bytes = "64MiB"              # waiting to be sent or worked on, of all connections; and of those of one peer
//   waiting_bytes_per_peer = "16MiB"
//   total_value_size = "1MiB"            # of a value however written, 64KiB to 16MiB
//   requests_per_second = 1000           # of one peer or uid; left out: no limit. So is bytes_per_second = "1MiB"
//   refusals_per_second = 256
//   session_events_per_second = 128
//   handshake_timeout = "10s"
//   keepalive_interval = "15s"
//   dead_peer_timeout = "45s"
//   drain_timeout = "5s"
//   connection_age = "24h"
//
// An unknown name is an error. Limits that contradict each other are refused here, with the line of one of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/policy.h"
#include "core/result.h"
#include "core/server.h"
#include "core/store.h"
#include "core/store_room.h"
#include "os/text/text_error.h"

namespace statefs {

struct ConfigText {
  std::optional<std::string> listen, local, identity, peers, policy, state, audit;
  std::optional<std::uint64_t> state_size;
  std::optional<Durability> durability;
  StoreWish store;
  std::optional<std::size_t> sessions_per_key;
  ServerLimits limits;
};

[[nodiscard]] Result<ConfigText, TextError> parse_config(std::string_view text);

}  // namespace statefs

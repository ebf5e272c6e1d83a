#include "os/text/config_text.h"

#include <array>
#include <limits>

#include "core/disk.h"
#include "core/limits.h"
#include "os/text/text_values.h"
#include "os/text/toml_tree.h"

namespace statefs {
namespace {

using Kind = TomlValue::Kind;
using Refusal = std::optional<TextError>;

constexpr std::size_t path_size_max = 4'095;

TextError refuse(const TomlMember& member, const std::string& reason) { return {member.value.place, member.name + " " + reason}; }

Refusal read_text(const TomlMember& member, std::optional<std::string>& out) {
  if (member.value.kind != Kind::text) return refuse(member, "is " + std::string(name_of(member.value.kind)) + ": write a string");
  const std::string& text = member.value.text;
  if (text.empty() || text.size() > path_size_max || text.find('\0') != std::string::npos) {
    return refuse(member, "is empty, longer than " + std::to_string(path_size_max) + " bytes or holds a zero byte: correct it or remove the line");
  }
  out = text;
  return std::nullopt;
}

template <typename T>
Refusal read_count(const TomlMember& member, std::uint64_t max, T& out) {
  const std::int64_t number = member.value.integer;
  if (member.value.kind != Kind::integer || number < 1 || static_cast<std::uint64_t>(number) > max) {
    return refuse(member, "is no count: write an integer from 1 to " + std::to_string(max));
  }
  out = static_cast<T>(number);
  return std::nullopt;
}

template <typename T>
Refusal read_size(const TomlMember& member, std::uint64_t min, std::uint64_t max, T& out) {
  std::optional<std::uint64_t> size;
  if (member.value.kind == Kind::text) size = size_of_text(member.value.text);
  if (member.value.kind == Kind::integer && member.value.integer >= 0) size = static_cast<std::uint64_t>(member.value.integer);
  if (!size || *size < min || *size > max) {
    return refuse(member, "is no size from " + std::to_string(min) + " to " + std::to_string(max) +
                              ": write bytes such as 65536, or \"64KiB\", \"4MiB\"");
  }
  out = static_cast<T>(*size);
  return std::nullopt;
}

Refusal read_duration(const TomlMember& member, Duration& out) {
  std::optional<Duration> duration;
  if (member.value.kind == Kind::text) duration = duration_of_text(member.value.text);
  if (!duration) return refuse(member, "is no duration: write a string such as \"250ms\", \"5s\", \"2m\" or \"24h\"");
  out = *duration;
  return std::nullopt;
}

TextError unknown(const TomlMember& member, std::string_view where, std::string_view known) {
  return {member.place, std::string(where) + " has no " + quoted(member.name) + ": use " + std::string(known)};
}

Refusal read_store(const TomlMember& member, StoreWish& store) {
  constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
  if (member.name == "value_bytes") return read_size(member, 1, any, store.value_bytes.emplace());
  if (member.name == "keys") return read_count(member, any, store.keys.emplace());
  return unknown(member, "store", "value_bytes or keys");
}

Refusal read_total_value_size(const TomlMember& member, StagingLimits& out) {
  std::size_t size = 0;
  if (Refusal refusal = read_size(member, limits::value_size_max, limits::total_value_size_ceiling, size)) return refusal;
  out = StagingLimits::for_values_up_to(size);
  return std::nullopt;
}

// Four seconds' worth may come at once.
Refusal read_rate(const TomlMember& member, RateLimit& out) {
  std::uint64_t per_second = 0;
  const bool is_size = member.name == "bytes_per_second";
  Refusal refusal = is_size ? read_size(member, 1'024, limits::rate_per_second_max, per_second)
                            : read_count(member, limits::rate_per_second_max, per_second);
  if (!refusal) out = PeerRateLimits::at(per_second);
  return refusal;
}

constexpr std::size_t waiting_size_least = 256 * 1024;
constexpr std::size_t waiting_size_most = std::size_t{64} << 30;

Refusal read_limit(const TomlMember& member, ConfigText& config) {
  ServerLimits& out = config.limits;
  if (member.name == "connections") return read_count(member, limits::connections_max, out.connections_max);
  if (member.name == "connections_per_peer") return read_count(member, limits::connections_max, out.connections_per_peer_max);
  if (member.name == "half_open") return read_count(member, limits::connections_max, out.half_open_max);
  if (member.name == "local_connections") return read_count(member, limits::local_connections_max, out.local_connections_max);
  if (member.name == "local_connections_per_uid") {
    return read_count(member, limits::local_connections_max, out.local_connections_per_uid_max);
  }
  if (member.name == "sessions_per_key") return read_count(member, limits::sessions_per_key, config.sessions_per_key.emplace());
  if (member.name == "handshakes_per_wakeup") return read_count(member, limits::connections_max, out.handshakes_per_wakeup);
  if (member.name == "output_bytes") return read_size(member, 2 * limits::frame_size_max, 64u << 20, out.output_size_max);
  if (member.name == "waiting_bytes") return read_size(member, waiting_size_least, waiting_size_most, out.waiting_size_max);
  if (member.name == "waiting_bytes_per_peer") {
    return read_size(member, waiting_size_least, waiting_size_most, out.waiting_size_per_peer_max);
  }
  if (member.name == "total_value_size") return read_total_value_size(member, out.staging);
  if (member.name == "requests_per_second") return read_rate(member, out.rates.requests);
  if (member.name == "bytes_per_second") return read_rate(member, out.rates.bytes);
  if (member.name == "refusals_per_second") return read_rate(member, out.rates.refusals);
  if (member.name == "session_events_per_second") return read_rate(member, out.rates.session_events);
  if (member.name == "handshake_timeout") return read_duration(member, out.handshake_timeout);
  if (member.name == "keepalive_interval") return read_duration(member, out.keepalive_interval);
  if (member.name == "dead_peer_timeout") return read_duration(member, out.dead_peer_timeout);
  if (member.name == "drain_timeout") return read_duration(member, out.drain_timeout);
  if (member.name == "connection_age") return read_duration(member, out.connection_age_max);
  return unknown(member, "limits",
                 "connections, connections_per_peer, half_open, local_connections, local_connections_per_uid, "
                 "sessions_per_key, handshakes_per_wakeup, output_bytes, waiting_bytes, waiting_bytes_per_peer, total_value_size, "
                 "requests_per_second, bytes_per_second, "
                 "refusals_per_second, session_events_per_second, handshake_timeout, keepalive_interval, "
                 "dead_peer_timeout, drain_timeout or connection_age");
}

// What core/limits.h asserts of its own values.
Refusal contradiction(const ServerLimits& limits, TextPlace place) {
  if (limits.connections_per_peer_max >= limits.connections_max) {
    return TextError{place, "connections_per_peer is not below connections: one peer could hold them all, lower it"};
  }
  if (limits.waiting_size_per_peer_max >= limits.waiting_size_max) {
    return TextError{place, "waiting_bytes_per_peer is not below waiting_bytes: one peer could use it up, lower it"};
  }
  if (limits.half_open_max >= limits.connections_max) {
    return TextError{place, "half_open is not below connections: strangers could hold them all, lower it"};
  }
  if (limits.local_connections_per_uid_max >= limits.local_connections_max) {
    return TextError{place, "local_connections_per_uid is not below local_connections: one uid could hold them all, lower it"};
  }
  if (limits.dead_peer_timeout.ns / 2 <= limits.keepalive_interval.ns) {
    return TextError{place, "dead_peer_timeout is not above twice keepalive_interval: one lost keepalive would end a connection, raise it"};
  }
  return std::nullopt;
}

template <typename Target, typename ReadMember>
Refusal read_table(const TomlMember& section, ReadMember read_member, Target& out) {
  if (section.value.kind != Kind::table) {
    return refuse(section, "is " + std::string(name_of(section.value.kind)) + ": write a section [" + section.name + "]");
  }
  for (const TomlMember& member : section.value.members) {
    if (Refusal refusal = read_member(member, out)) return refusal;
  }
  return std::nullopt;
}

Refusal read_member(const TomlMember& member, ConfigText& config) {
  if (member.name == "store") return read_table(member, read_store, config.store);
  if (member.name == "limits") {
    if (Refusal refusal = read_table(member, read_limit, config)) return refusal;
    return contradiction(config.limits, member.place);
  }
  const std::array<std::pair<std::string_view, std::optional<std::string>*>, 7> texts{{{"listen", &config.listen},
                                                                                       {"local", &config.local},
                                                                                       {"identity", &config.identity},
                                                                                       {"peers", &config.peers},
                                                                                       {"policy", &config.policy},
                                                                                       {"state", &config.state},
                                                                                       {"audit", &config.audit}}};
  for (const auto& [name, target] : texts) {
    if (member.name == name) return read_text(member, *target);
  }
  if (member.name == "state_size") {
    return read_size(member, disk_block_size, limits::journal_extent_size_max, config.state_size.emplace());
  }
  if (member.name == "durability") {
    if (member.value.kind == Kind::text) config.durability = durability_of_text(member.value.text);
    if (!config.durability) return refuse(member, "is no durability: write \"sync\" or \"commit\"");
    return std::nullopt;
  }
  return unknown(member, "configuration", "listen, local, identity, peers, policy, state, state_size, durability, audit, [store] or [limits]");
}

// Only what was written contradicts: a small store may leave the usual largest value as it is.
Refusal store_too_small(const TomlValue& tree, const ConfigText& config) {
  for (const TomlMember& section : tree.members) {
    if (section.name != "limits") continue;
    for (const TomlMember& member : section.value.members) {
      const std::uint64_t value_bytes = config.store.value_bytes.value_or(limits::store_value_bytes_default);
      if (member.name != "total_value_size" || config.limits.staging.value_size_max <= value_bytes) continue;
      return refuse(member, "is above the store's value_bytes: no value of that size would fit, lower it or raise value_bytes");
    }
  }
  return std::nullopt;
}

}  // namespace

Result<ConfigText, TextError> parse_config(std::string_view text) {
  const Result<TomlValue, TextError> tree = parse_toml(text);
  if (!tree) return tree.error();
  ConfigText config;
  for (const TomlMember& member : tree.value().members) {
    if (const Refusal refusal = read_member(member, config)) return *refusal;
  }
  if (const Refusal refusal = store_too_small(tree.value(), config)) return *refusal;
  return config;
}

}  // namespace statefs

#include "sim/machine_store.h"

namespace statefs::sim {

void trace_append(Trace& trace, NodeId node, const AuditRecord& record, ByteView encoded, const Effect& effect, Bytes& scratch) {
  const bool changes = effect.kind != Effect::Kind::none;
  const ByteView key = changes ? as_bytes(effect.key->text()) : ByteView{};
  scratch.clear();
  Writer writer(scratch);
  writer.u8(static_cast<std::uint8_t>(effect.kind));
  writer.u16(static_cast<std::uint16_t>(key.size()));
  writer.bytes(key);
  writer.u32(static_cast<std::uint32_t>(encoded.size()));
  writer.bytes(encoded);
  if (changes) writer.bytes(effect.value);
  trace.add(node, TraceKind::appended, record.index, scratch);
}

}  // namespace statefs::sim

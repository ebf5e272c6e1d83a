#include "os/text/inspection.h"

#include <utility>

namespace statefs {
namespace {

void read_block(HeadBlock& block, bool is_mark, const ReadExtent& read) {
  ByteView bytes;
  if (!read({DiskRequest::Kind::read, 0, block.offset, disk_block_size, {}}, bytes)) return;
  const auto note = [&block](const auto& decoded, auto& value) {
    block.is = decoded.ok()                           ? HeadBlock::Is::whole
               : decoded.error() == HeadError::absent ? HeadBlock::Is::zero
                                                      : HeadBlock::Is::damaged;
    if (decoded.ok()) value = decoded.value();
  };
  if (is_mark)
    note(decode_mark(bytes), block.mark);
  else
    note(decode_superblock(bytes), block.superblock);
}

}  // namespace

Look look_into(std::uint64_t extent_size, const LookInto& how, const ReadExtent& read) {
  RecoveryConfig config;
  config.look = how;
  Recovery recovery(config, extent_size);
  while (const auto request = recovery.next_request()) {
    ByteView bytes;
    const bool ok = read(*request, bytes);
    recovery.completed(request->id, ok, bytes);
  }
  return {recovery.report(), std::move(recovery.seen())};
}

Inspection inspect(std::uint64_t file_size, const ReadExtent& read) {
  const std::uint64_t extent_size = block_floor(file_size);
  Inspection out;
  out.file_size = file_size;
  const std::array offsets = {Extent::superblock_offset(0), Extent::mark_offset(0), Extent::mark_offset(1),
                              Extent::superblock_offset(1)};
  for (std::size_t i = 0; i < out.head.size(); ++i) {
    out.head[i].offset = offsets[i];
    if (offsets[i] + disk_block_size <= extent_size) read_block(out.head[i], i == 1 || i == 2, read);
  }
  out.all = look_into(extent_size, {}, read);
  const RecoveryReport& report = out.all.report;
  const bool beside_the_log =
      report.damage == Damage::marks || report.damage == Damage::snapshot || report.damage == Damage::change;
  if (beside_the_log) {
    LookInto log;
    log.log_alone = true;
    log.without_marks = true;
    out.log = look_into(extent_size, log, read).report;
  }
  return out;
}

}  // namespace statefs

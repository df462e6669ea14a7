<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Model\ResourceModel\Note;

use Fernhill\OrderNotes\Model\Note;
use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Framework\Model\ResourceModel\Db\Collection\AbstractCollection;

class Collection extends AbstractCollection
{
    /** The notes of one order, pinned ones first, then newest first. */
    public function ofOrder(int $orderId): self
    {
        $this->addFieldToFilter('order_id', $orderId);
        $this->setOrder('is_pinned', self::SORT_ORDER_DESC);
        return $this->addOrder('note_id', self::SORT_ORDER_DESC);
    }

    public function pinnedOnly(): self
    {
        return $this->addFieldToFilter('is_pinned', 1);
    }

    protected function _construct(): void
    {
        $this->_init(Note::class, NoteResource::class);
    }
}

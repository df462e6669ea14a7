<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Model\ResourceModel\Note;

use Fernhill\OrderNotes\Model\Note;
use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Framework\Model\ResourceModel\Db\Collection\AbstractCollection;

class Collection extends AbstractCollection
{
    /** The notes of one order, newest first. */
    public function ofOrder(int $orderId): self
    {
        $this->addFieldToFilter('order_id', $orderId);
        return $this->setOrder('note_id', self::SORT_ORDER_DESC);
    }

    protected function _construct(): void
    {
        $this->_init(Note::class, NoteResource::class);
    }
}
